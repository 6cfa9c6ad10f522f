// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/executor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace switchgear::inline v1 {

/// What a thread_pool may be told.
struct thread_pool_options {
  std::string name = "thread_pool";

  /// At most this many threads, 1 … 1,024; each is started when there is work for it and no thread idle. A blocking call
  /// holds one until it really ends, also after its caller has left: as many as may hang at a time, and some for the rest.
  std::size_t threads = 8;

  /// How much work may wait for a thread, 0 … 1,000,000; beyond that post() refuses. Short is good: what waits long has lost
  /// its caller by the time it runs.
  std::size_t max_queue = 64;

  [[nodiscard]] std::vector<problem> validate() const;
};

/// What a thread_pool has counted since it was made, and what it does now.
struct thread_pool_metrics {
  std::size_t threads = 0;      ///< started so far
  std::size_t running = 0;      ///< pieces of work that run now
  std::size_t waiting = 0;
  std::uint64_t completed = 0;
  std::uint64_t refused = 0;
};

/// A bounded pool of threads with a bounded queue, first in first out.
///
/// The destructor requests closing(), which asks the calls that run here to stop, lets what still waits run too (calls of
/// policies only say then that they were refused), and waits for all of it. A call that neither ends nor looks at its stop
/// token keeps the destructor waiting: no thread is ever left behind. Declare the pool after the breakers and clocks that these
/// calls use, so that it ends before them.
class thread_pool final : public executor {
 public:
  /// Throws config_error.
  explicit thread_pool(thread_pool_options options = {});
  /// Not to be run by the pool's own threads.
  ~thread_pool() override;

  /// False also when the operating system gives no thread and there is none yet.
  [[nodiscard]] bool post(std::function<void()> work) override;
  [[nodiscard]] std::stop_token closing() const override;
  [[nodiscard]] std::string name() const override;
  /// Threads and queue together.
  [[nodiscard]] std::optional<std::size_t> capacity() const override;
  [[nodiscard]] thread_pool_metrics metrics() const;

 private:
  struct state;
  const std::unique_ptr<state> state_;
};

}  // namespace switchgear::inline v1
