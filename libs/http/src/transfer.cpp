// SPDX-License-Identifier: Apache-2.0
#include "transfer.hpp"

#include "text.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace switchgear::inline v1::http::detail {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;

// libcurl reads 0 as "no limit", so what is left of a millisecond counts as a whole one.
long to_milliseconds(nanoseconds d) {
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(d).count());
}

nanoseconds shorter(nanoseconds a, nanoseconds b) {
  if (a == 0ns) return b;
  if (b == 0ns) return a;
  return std::min(a, b);
}

bool is_out_of_memory(CURLcode code) { return code == CURLE_OUT_OF_MEMORY; }

bool is_callers_fault(CURLcode code) {
  return code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_SSL_CACERT_BADFILE;
}

}  // namespace

template <class T>
void transfer::set(CURLoption option, T value) {
  const CURLcode code = curl_easy_setopt(line_.easy.get(), option, value);
  if (is_out_of_memory(code)) throw std::bad_alloc();
}

outcome transfer::run() {
  const auto start = std::chrono::steady_clock::now();
  result_.reason = problem_of(request_);
  if (!result_.reason.empty()) {
    result_.ending = ending::invalid;
    return std::move(result_);
  }
  set_up();
  bool cancelled = false;
  const CURLcode code = drive(cancelled);
  result_.took = std::chrono::steady_clock::now() - start;
  if (result_.thrown) {
    result_.ending = ending::sink_threw;
  } else if (cancelled) {
    result_.ending = ending::cancelled;
  } else {
    read_ending(code);
  }
  return std::move(result_);
}

void transfer::set_up() {
  curl_easy_reset(line_.easy.get());
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  // A name lookup that hangs cannot be stopped; without this its thread is waited for after the time is up.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_USERAGENT, options_.user_agent.c_str());
  if (!options_.environment_proxy) set(CURLOPT_PROXY, "");
  if (!options_.certificate_authorities.empty()) set(CURLOPT_CAINFO, options_.certificate_authorities.c_str());
  set_up_limits();
  set_up_body();
  set_up_headers();
  set(CURLOPT_PREREQFUNCTION, &transfer::on_request);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &transfer::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &transfer::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
}

void transfer::set_up_limits() {
  total_limit_ = shorter(request_.timeout.value_or(options_.timeout), at_most_);
  connect_limit_ = shorter(options_.connect_timeout, total_limit_);
  if (total_limit_ > 0ns) set(CURLOPT_TIMEOUT_MS, to_milliseconds(total_limit_));
  // libcurl's own default would be five minutes where we promise none.
  set(CURLOPT_CONNECTTIMEOUT_MS, to_milliseconds(connect_limit_ > 0ns ? connect_limit_ : nanoseconds(24h)));
}

void transfer::set_up_body() {
  if (request_.method == "GET") return;
  if (request_.method == "HEAD") return set(CURLOPT_NOBODY, 1L);
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  set(CURLOPT_POSTFIELDS, request_.body.data());
  if (request_.method != "POST") set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void transfer::set_up_headers() {
  const auto add = [&](const std::string& text) {
    curl_slist* longer = curl_slist_append(headers_.get(), text.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    (void)headers_.release();
    headers_.reset(longer);
  };
  std::string& id = result_.reply.correlation_id;
  id = request_.correlation_id;
  bool has_type = false, has_expect = false;
  for (const auto& [name, value] : request_.headers) {
    has_type = has_type || same_name(name, "Content-Type");
    has_expect = has_expect || same_name(name, "Expect");
    if (same_name(name, correlation_header)) {
      if (id.empty()) id = std::string(trim(value));
    } else {
      // Of a header without value libcurl wants to be told by a semicolon.
      add(trim(value).empty() ? name + ";" : name + ": " + value);
    }
  }
  if (id.empty()) id = make_uuid();
  add(std::string(correlation_header) + ": " + id);
  // Without these libcurl calls every body a form, and waits a second for servers that do not know "100 Continue".
  if (!has_type) add("Content-Type:");
  if (!has_expect) add("Expect:");
  set(CURLOPT_HTTPHEADER, headers_.get());
}

CURLcode transfer::drive(bool& cancelled) {
  CURLM* multi = line_.multi.get();
  const sigpipe_guard no_sigpipe;
  if (curl_multi_add_handle(multi, line_.easy.get()) != CURLM_OK) throw std::bad_alloc();
  struct detach {
    line& of;
    ~detach() { curl_multi_remove_handle(of.multi.get(), of.easy.get()); }
  } const at_end{line_};
  // Without a wake-up a stop request would be seen only at the next byte or limit.
  const std::stop_callback wake(request_.stop, [multi] { curl_multi_wakeup(multi); });
  for (;;) {
    if (request_.stop.stop_requested()) {
      cancelled = true;
      return CURLE_ABORTED_BY_CALLBACK;
    }
    int running = 0;
    const CURLMcode status = curl_multi_perform(multi, &running);
    if (status == CURLM_OUT_OF_MEMORY) throw std::bad_alloc();
    if (status != CURLM_OK) return CURLE_FAILED_INIT;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    if (running == 0) return CURLE_FAILED_INIT;
    // Sooner when there is data, when a limit is up (libcurl knows its own), or when woken.
    curl_multi_poll(multi, nullptr, 0, 60'000, nullptr);
  }
}

void transfer::read_ending(CURLcode code) {
  if (is_out_of_memory(code)) throw std::bad_alloc();
  if (code == CURLE_OK) {
    result_.ending = ending::complete;
    return;
  }
  if (code == CURLE_OPERATION_TIMEDOUT) {
    result_.ending = ending::timed_out;
    // libcurl does not say which of the two limits it was, but only one of them can have passed before the other.
    const bool was_total = total_limit_ > 0ns && result_.took + 1ms >= total_limit_;
    result_.limit = was_total || connect_limit_ == 0ns ? total_limit_ : connect_limit_;
    result_.reason = was_total ? "no complete response in time" : "no connection in time";
    return;
  }
  if (was_lost_) {
    result_.ending = ending::failed;
    result_.reason = "the connection ended without an answer";
    return;
  }
  long sent = 0;
  curl_easy_getinfo(line_.easy.get(), CURLINFO_REQUEST_SIZE, &sent);
  if (code == CURLE_UNSUPPORTED_PROTOCOL && sent > 0) {
    // libcurl has one code for a scheme that we do not speak and for a server that does not speak HTTP.
    result_.ending = ending::failed;
    result_.reason = "the answer is not HTTP";
    return;
  }
  result_.ending = is_callers_fault(code) ? ending::invalid : ending::failed;
  // libcurl's longer message may quote the URL, and with it a password; its texts per code are fixed.
  result_.reason = curl_easy_strerror(code);
  long system_error = 0;
  curl_easy_getinfo(line_.easy.get(), CURLINFO_OS_ERRNO, &system_error);
  if (result_.ending == ending::failed && system_error != 0) {
    std::array<char, 128> buffer{};
    result_.reason += std::string(": ") + strerror_r(static_cast<int>(system_error), buffer.data(), buffer.size());
  }
}

int transfer::on_request(void* self, char*, char*, int, int) {
  auto& t = *static_cast<transfer*>(self);
  // When a connection that was open already ends without an answer, libcurl takes another one and sends the request again.
  // The server may have done what it was told all the same.
  const bool changes_nothing = t.request_.method == "GET" || t.request_.method == "HEAD";
  t.was_lost_ = t.was_sent_ && !changes_nothing;
  t.was_sent_ = true;
  return t.was_lost_ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

std::size_t transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& t = *static_cast<transfer*>(self);
  const std::string_view text(data, size * count);
  try {
    if (text.starts_with("HTTP/")) {
      // Each of several responses (100, then 200) starts anew.
      long status = 0;
      curl_easy_getinfo(t.line_.easy.get(), CURLINFO_RESPONSE_CODE, &status);
      t.result_.reply.status = static_cast<int>(status);
      t.result_.reply.headers.clear();
    } else if (const auto colon = text.find(':'); colon != text.npos) {
      t.result_.reply.headers.emplace_back(trim(text.substr(0, colon)), trim(text.substr(colon + 1)));
    }
    return text.size();
  } catch (...) {
    t.result_.thrown = std::current_exception();
    return 0;
  }
}

std::size_t transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& t = *static_cast<transfer*>(self);
  const std::string_view piece(data, size * count);
  try {
    if (t.sink_) {
      t.sink_(t.result_.reply, piece);
    } else {
      t.result_.reply.body.append(piece);
    }
    return piece.size();
  } catch (...) {
    t.result_.thrown = std::current_exception();
    // Any other number than the size of the piece ends the transfer.
    return piece.empty() ? 1 : 0;
  }
}

}  // namespace switchgear::inline v1::http::detail
