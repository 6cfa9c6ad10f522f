// SPDX-License-Identifier: Apache-2.0
#include <switchgear/http/transport.hpp>

#include "line.hpp"
#include "transfer.hpp"

#include <mutex>
#include <new>
#include <string>
#include <vector>

namespace switchgear::inline v1::http {
namespace {

using std::chrono::nanoseconds;

void check_limit(std::vector<problem>& problems, const char* key, nanoseconds value) {
  if (value < nanoseconds(0) || value > std::chrono::hours(24)) {
    problems.push_back({key, std::to_string(value.count()) + "ns", "0 … 24h, 0 = no limit", "out of range"});
  }
}

options checked(options o) {
  std::vector<problem> problems;
  check_limit(problems, "connect_timeout", o.connect_timeout);
  check_limit(problems, "timeout", o.timeout);
  if (!problems.empty()) throw config_error(std::move(problems));
  return o;
}

// Once for the program and never undone: nobody can know whether others still use libcurl.
void start_libcurl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw std::bad_alloc();
}

}  // namespace

/// Lines that nobody uses. The last one given back goes out first: its connections are the likeliest to be still open.
class transport::pool {
 public:
  detail::line take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        detail::line l = std::move(idle_.back());
        idle_.pop_back();
        return l;
      }
      ++made_;
      idle_.reserve(made_);  // so that giving back never allocates
    }
    detail::line fresh{std::unique_ptr<CURLM, detail::close_multi>(curl_multi_init()),
                       std::unique_ptr<CURL, detail::close_easy>(curl_easy_init())};
    if (!fresh.multi || !fresh.easy) throw std::bad_alloc();
    return fresh;
  }

  void give_back(detail::line l) noexcept {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(l));
  }

 private:
  std::mutex mutex_;
  std::vector<detail::line> idle_;
  std::size_t made_ = 0;
};

transport::transport(options o) : options_(checked(std::move(o))) {
  start_libcurl();
  pool_ = std::make_unique<pool>();
}

transport::~transport() = default;

outcome transport::send(const request& r, const body_sink& sink, nanoseconds at_most) {
  struct borrowed {
    pool& from;
    detail::line line;
    ~borrowed() { from.give_back(std::move(line)); }
  } b{*pool_, pool_->take()};
  return detail::transfer(b.line, options_, r, sink, at_most).run();
}

verdict judge(const outcome& o, const options& with) noexcept {
  switch (o.ending) {
    case ending::complete: break;
    case ending::failed: return verdict::failure;
    case ending::timed_out: return verdict::timeout;
    case ending::cancelled:
    case ending::invalid:
    case ending::sink_threw: return verdict::ignored;
  }
  if (o.reply.status >= 500) return verdict::failure;
  if (o.reply.status == 429 && with.too_many_requests_fail) return verdict::failure;
  return o.reply.status >= 400 ? verdict::ignored : verdict::success;
}

error_context describe(const request& r) {
  error_context context{"http", r.method, "(not a URL)"};
  const std::unique_ptr<CURLU, detail::close_url> url(curl_url());
  if (!url) throw std::bad_alloc();
  if (curl_url_set(url.get(), CURLUPART_URL, r.url.c_str(), CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) !=
      CURLUE_OK) return context;
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(url.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return std::string();
    std::string result(text);
    curl_free(text);
    return result;
  };
  context.target = part(CURLUPART_HOST);
  if (const std::string port = part(CURLUPART_PORT); !port.empty()) context.target += ":" + port;
  return context;
}

}  // namespace switchgear::inline v1::http
