// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "web/message.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace switchgear::inline v1::detail {

/// One server-sent event, ready to be written: `event: KIND`, `data: JSON`, an empty line. `json` is one line.
[[nodiscard]] std::shared_ptr<const std::string> server_sent_event(std::string_view kind, std::string_view json);

/// Tells many streams the same; none has a copy of its own.
///
/// Thread safety: every function from any thread. After the handle of a stream has gone, its writer is not called again; a handle
/// may also go from within its writer.
class feed {
 public:
  /// Writes `first` and from then on whatever is told, until the handle goes or the writer says that the stream has ended.
  [[nodiscard]] std::shared_ptr<void> add(stream_writer write, std::shared_ptr<const std::string> first);

  void tell(const std::shared_ptr<const std::string>& what);

  /// Whether somebody would hear. A text that nobody hears need not be made.
  [[nodiscard]] bool has_listeners() const noexcept { return all_->open.load() != 0; }
  [[nodiscard]] std::size_t size() const noexcept { return all_->open.load(); }

 private:
  struct stream {
    stream_writer write;
    bool ended = false;
  };
  struct list {
    // Recursive, for a handle that goes from within its writer.
    std::recursive_mutex mutex;
    std::vector<std::shared_ptr<stream>> streams;
    bool telling = false;
    std::atomic<std::size_t> open{0};  ///< how many of them have not ended
  };
  static bool put(const stream& to, std::shared_ptr<const std::string> what) noexcept;
  static void end(list& all, stream& which);
  static void forget_ended(list& all);

  std::shared_ptr<list> all_ = std::make_shared<list>();  ///< shared with the handles, which may outlive the feed
};

}  // namespace switchgear::inline v1::detail
