// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include "../bus_options.hpp"
#include "process.hpp"
#include "readings.hpp"

#include <switchgear/http/client.hpp>
#include <switchgear/registry.hpp>
#include <switchgear/registry_source.hpp>

#include <nlohmann/json.hpp>

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace switchgear::demo {
namespace {

using clock = std::chrono::steady_clock;
using nlohmann::json;

/// One line at a time, from the threads of the reports and of the events.
class reporter {
 public:
  void send(const json& line) {
    // Texts of failures come from outside: not all of them are UTF-8.
    const std::string text = line.dump(-1, ' ', false, json::error_handler_t::replace);
    const std::lock_guard lock(mutex_);
    // Nobody reads any more: the parent is gone, and so is the purpose.
    if (!write_line(first_inherited, text)) ::_exit(1);
  }

 private:
  std::mutex mutex_;
};

/// What the threads have counted since it was last looked at.
class counter {
 public:
  void passed() { with([](tally& t) { ++t.passed; }); }
  void failed(std::chrono::nanoseconds took) {
    with([&](tally& t) { ++t.failed, t.failure_ns.push_back(took.count()); });
  }
  void rejected(std::chrono::nanoseconds took) {
    with([&](tally& t) { ++t.rejected, t.rejection_ns.push_back(took.count()); });
  }
  tally take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(tally_, {});
  }

 private:
  template <class F>
  void with(F f) {
    const std::lock_guard lock(mutex_);
    f(tally_);
  }
  std::mutex mutex_;
  tally tally_;
};

/// An upstream as this process sees it: through a breaker, and beside it without.
class upstream {
 public:
  upstream(std::string_view name, int port, const client_settings& with, registry& circuits)
      : request_{.url = "http://127.0.0.1:" + std::to_string(port) + "/"},
        breaker_(circuits.get(name, with.breaker())),
        client_(*breaker_, options(with)),
        unguarded_(options(with)) {}

  void call_guarded() {
    const auto start = clock::now();
    const http::result r = client_.try_send(request_);
    const auto took = clock::now() - start;
    if (r.rejected()) return guarded_count_.rejected(took);
    count(guarded_count_, r.verdict(), took);
  }

  void call_unguarded() {
    const auto start = clock::now();
    const http::outcome o = unguarded_.send(request_);
    count(unguarded_count_, judge(o, unguarded_.settings()), clock::now() - start);
  }

  void take_into(tally& guarded, tally& unguarded) {
    guarded = guarded_count_.take();
    unguarded = unguarded_count_.take();
  }

  [[nodiscard]] json snapshot() const { return json::parse(switchgear::to_json(breaker_->snapshot())); }

 private:
  static http::options options(const client_settings& with) {
    return {.connect_timeout = with.timeout, .timeout = with.timeout, .environment_proxy = false};
  }

  static void count(counter& in, verdict v, std::chrono::nanoseconds took) {
    v == verdict::failure || v == verdict::timeout ? in.failed(took) : in.passed();
  }

  const http::request request_;
  const breaker_handle breaker_;
  http::client client_;
  http::transport unguarded_;
  counter guarded_count_, unguarded_count_;
};

class client {
 public:
  client(const client_settings& with, reporter& to)
      : settings_(with),
        to_(to),
        bus_(with.bus.empty() ? nullptr : open_named_bus(with.bus)),
        circuits_({.environment = variables{}, .bus = bus_.get()}),
        watching_(source_.observe([&to](const event& e) { to.send({{"event", json::parse(switchgear::to_json(e))}}); })),
        payments_(upstream_names[payments], with.ports[payments], with, circuits_),
        search_(upstream_names[search], with.ports[search], with, circuits_) {}

  /// Calls until `control` has ended.
  void run(int control) {
    {
      std::vector<std::jthread> callers;
      for (int i = 0; i < settings_.threads; ++i) {
        const auto offset = settings_.pace * i / settings_.threads;
        callers.emplace_back([=, this](std::stop_token stop) {
          repeat(stop, offset, [this] { payments_.call_guarded(), search_.call_guarded(); });
        });
        callers.emplace_back([=, this](std::stop_token stop) {
          repeat(stop, offset, [this] { payments_.call_unguarded(), search_.call_unguarded(); });
        });
      }
      pollfd told{control, POLLIN, 0};
      for (bool ended = false; !ended; report()) {
        if (::poll(&told, 1, 100) > 0) ended = !obey(control);
      }
    }
    report();
    drain_events();
    to_.send({{"end", {payments_.snapshot(), search_.snapshot()}}});
  }

 private:
  // Keeps the pace as long as the calls let it; what a slow call has missed is not made up for.
  void repeat(const std::stop_token& stop, std::chrono::nanoseconds offset, const auto& calls) {
    std::mutex mutex;
    std::condition_variable_any end;
    std::unique_lock lock(mutex);
    auto next = clock::now() + offset;
    while (!end.wait_until(lock, stop, next, [&] { return stop.stop_requested(); })) {
      if (stop.stop_requested()) return;
      calls();
      next = std::max(next + settings_.pace, clock::now());
    }
  }

  /// Does what the lines that have come say; false at the end of the file.
  bool obey(int control) {
    char buffer[4096];
    const ssize_t n = ::read(control, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return true;
    if (n <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(n));
    for (auto end = received_.find('\n'); end != received_.npos; end = received_.find('\n')) {
      const std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      if (line.empty()) continue;  // the one that starts the calls
      const json command = json::parse(line);
      const action_outcome done = source_.act(action_from(command));
      report_circuits();
      to_.send({{"acted",
                 {{"number", command.at("number")}, {"outcome", static_cast<int>(done.what)}, {"message", done.message}}}});
    }
    return true;
  }

  void report_circuits() {
    json readings = json::array();
    for (circuit_reading& r : source_.read()) {
      r.source = own_name_;
      readings.push_back(to_json(r));
    }
    to_.send({{"circuits", readings}});
  }

  void report() {
    report_circuits();
    tallies t;
    payments_.take_into(t.guarded[payments], t.unguarded[payments]);
    search_.take_into(t.guarded[search], t.unguarded[search]);
    to_.send({{"counts", to_json(t)}});
  }

  const client_settings settings_;
  reporter& to_;
  const std::unique_ptr<event_bus> bus_;
  registry circuits_;
  registry_source source_{circuits_};
  subscription watching_;
  upstream payments_, search_;
  std::string received_;
  /// As in the events of this process.
  const std::string own_name_ = json::parse(switchgear::to_json(event{})).at("source");
};

}  // namespace

int run_client(const client_settings& with) {
  reporter to;
  client c(with, to);
  to.send({{"ready", true}});
  char go = 0;
  if (::read(first_inherited + 1, &go, 1) == 1) c.run(first_inherited + 1);
  return 0;
}

}  // namespace switchgear::demo
