// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <vector>

namespace switchgear::inline v1::http::detail {

struct close_easy {
  void operator()(CURL* h) const noexcept { curl_easy_cleanup(h); }
};
struct close_multi {
  void operator()(CURLM* h) const noexcept { curl_multi_cleanup(h); }
};
struct free_list {
  void operator()(curl_slist* l) const noexcept { curl_slist_free_all(l); }
};
struct close_url {
  void operator()(CURLU* u) const noexcept { curl_url_cleanup(u); }
};

/// What one transfer at a time needs. Open connections live in the multi handle, so that the next transfer finds
/// them; the multi handle, unlike an easy one alone, can also be woken up from another thread.
struct line {
  std::unique_ptr<CURLM, close_multi> multi;
  std::unique_ptr<CURL, close_easy> easy;
};

/// Blocks SIGPIPE in this thread and takes back the one that came meanwhile: a library must not end its program
/// because a peer closed a connection, and must not change how the whole program treats the signal either.
class sigpipe_guard {
 public:
  sigpipe_guard() noexcept;
  ~sigpipe_guard();
  sigpipe_guard(const sigpipe_guard&) = delete;
  sigpipe_guard& operator=(const sigpipe_guard&) = delete;

 private:
  bool blocked_ = false;
};

}  // namespace switchgear::inline v1::http::detail
