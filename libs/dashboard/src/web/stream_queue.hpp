// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace switchgear::inline v1::detail {

/// How much may wait for one client that reads a stream. The first piece of an empty queue is always taken, however large.
struct stream_limits {
  std::size_t bytes = 16 * 1024 * 1024;
  std::size_t pieces = 65'536;
};

/// What waits to be sent to one client. Pieces are shared by all clients, so a queue is a list of pointers.
///
/// Thread safety: push() from any thread; the rest from the one that sends.
class stream_queue {
 public:
  using piece = std::shared_ptr<const std::string>;

  /// `wake` is called by whoever pushes the first piece after take() found the queue empty, or one too many. It runs under the
  /// lock of the queue, so it must be quick and not call back; it does not run after end().
  stream_queue(stream_limits limits, std::function<void()> wake) : limits_(limits), wake_(std::move(wake)) {}

  /// False: the stream has ended, or this piece was one too many, which ends it. Throws nothing.
  bool push(piece p);

  /// At most `most` pieces, in their order; none when nothing waits.
  [[nodiscard]] std::vector<piece> take(std::size_t most);

  /// Nothing is taken in any more, and what waits is let go.
  void end() noexcept;

  /// Whether a client was too slow for what was pushed.
  [[nodiscard]] bool has_overflowed() const;

 private:
  const stream_limits limits_;
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::deque<piece> waiting_;
  std::size_t bytes_ = 0;
  bool awake_ = false;
  bool ended_ = false;
  bool overflowed_ = false;
};

}  // namespace switchgear::inline v1::detail
