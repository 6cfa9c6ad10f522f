// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/http/transport.hpp>

#include "line.hpp"

#include <array>
#include <chrono>

namespace switchgear::inline v1::http::detail {

/// One transfer on one line: sets the handle up, drives it, reads how it ended. Lives on the stack of the calling
/// thread.
class transfer {
 public:
  transfer(line& on, const options& with, const request& r, const body_sink& sink, std::chrono::nanoseconds at_most)
      : line_(on), options_(with), request_(r), sink_(sink), at_most_(at_most) {}

  [[nodiscard]] outcome run();

 private:
  void set_up();
  void set_up_limits();
  void set_up_body();
  void set_up_headers();
  [[nodiscard]] CURLcode drive(bool& cancelled);
  void read_ending(CURLcode code);
  template <class T>
  void set(CURLoption option, T value);

  /// Told when a request is about to go out, the second time too.
  static int on_request(void* self, char* peer, char* here, int peer_port, int port);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);

  line& line_;
  const options& options_;
  const request& request_;
  const body_sink& sink_;
  std::chrono::nanoseconds at_most_;
  std::chrono::nanoseconds total_limit_{0};
  std::chrono::nanoseconds connect_limit_{0};
  std::unique_ptr<curl_slist, free_list> headers_;
  bool was_sent_ = false;
  bool was_lost_ = false;  ///< libcurl would have sent it again
  outcome result_;
};

}  // namespace switchgear::inline v1::http::detail
