// SPDX-License-Identifier: Apache-2.0
#include "client.hpp"

#include "../process.hpp"
#include "latency.hpp"
#include "overlap.hpp"

#include <switchgear/detail/breaker_access.hpp>
#include <switchgear/fleet/member.hpp>
#include <switchgear/http/transport.hpp>
#include <switchgear/registry.hpp>

#include <nlohmann/json.hpp>

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace switchgear::demo::fleet {
namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
using nlohmann::json;
namespace sgf = switchgear::fleet;

/// One line at a time, from any thread.
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

/// Lines of `control`, as they come.
class told {
 public:
  explicit told(int control) : control_(control) {}
  /// Waits for one; nothing when none came in time. `ended()` afterwards says whether any will.
  std::optional<json> next(int milliseconds) {
    for (;;) {
      if (const auto end = received_.find('\n'); end != received_.npos) {
        json line = json::parse(received_.substr(0, end));
        received_.erase(0, end + 1);
        return line;
      }
      pollfd waiting{control_, POLLIN, 0};
      if (ended_ || ::poll(&waiting, 1, milliseconds) <= 0) return std::nullopt;
      char buffer[4096];
      const ssize_t n = ::read(control_, buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        ended_ = true;
      } else {
        received_.append(buffer, static_cast<std::size_t>(n));
      }
    }
  }
  [[nodiscard]] bool ended() const noexcept { return ended_; }

 private:
  int control_;
  std::string received_;
  bool ended_ = false;
};

sgf::options member_options(const client_settings& s) {
  sgf::options o;
  o.url = s.store;
  o.name = s.name;
  o.instance = "instance-" + std::to_string(s.number);
  switch (s.opening) {
    case mode::any: o.opening = sgf::sharing::any; break;
    case mode::quorum: o.opening = sgf::sharing::quorum; break;
    case mode::evidence: o.opening = sgf::sharing::evidence; break;
  }
  o.keep = 5min;  // in a Redis that was there before, nothing is left for long, whatever ends us
  o.ramp = {{0.1, s.ramp_step}, {0.3, s.ramp_step}, {0.6, s.ramp_step}};
  return o;
}

/// The moment of an event on the clock that all processes of a host share.
std::int64_t monotonic(const event& e) {
  const auto ago = std::chrono::system_clock::now() - e.time;
  return std::chrono::duration_cast<std::chrono::nanoseconds>((clock::now() - ago).time_since_epoch()).count();
}

class instance {
 public:
  instance(const client_settings& with, reporter& to)
      : settings_(with),
        to_(to),
        circuits_({.environment = variables{}}),
        upstream_(circuits_.get(upstream_circuit, with.breaker())),
        instant_(circuits_.get(instant_circuit, config{})),
        transport_({.connect_timeout = 400ms, .timeout = 400ms, .environment_proxy = false}),
        watching_(upstream_->observe([this](const event& e) { on_transition(e); }, event_filter::transitions)),
        latency_(*instant_, with.number, [&to](const json& line) { to.send(line); }) {
    latency_.start();
    member_.emplace(circuits_, member_options(with));
  }

  void run(told& control) {
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < settings_.threads; ++i) {
        threads.emplace_back([this, i](const std::stop_token& stop) { call_again_and_again(stop, i); });
      }
      while (!control.ended()) {
        if (const auto line = control.next(10)) obey(*line);
        report_changes();
      }
    }
    latency_.stop();
    drain_events();
    report_end();
  }

 private:
  void obey(const json& command) {
    if (command.contains("quick")) {
      const std::lock_guard lock(pace_mutex_);
      quick_ = command.at("quick").get<bool>();
      pace_changed_.notify_all();
    }
    if (command.contains("window")) latency_.set_window(command.at("window"));
  }

  void call_again_and_again(const std::stop_token& stop, int number) {
    std::unique_lock lock(pace_mutex_);
    auto last = clock::now() - settings_.pace * number / settings_.threads;
    while (!stop.stop_requested()) {
      const bool quick = quick_;
      const auto next = last + (quick ? settings_.quick : settings_.pace);
      if (pace_changed_.wait_until(lock, stop, next, [&] { return quick_ != quick; }) || clock::now() < next) continue;
      last = clock::now();
      lock.unlock();
      call();
      lock.lock();
    }
  }

  void call() {
    permit p = upstream_->try_acquire();
    if (!p) {
      ++rejected_;
      return;
    }
    // A permit of a half-open circuit is a probe; whose it is, the gate knows.
    const detail::glance now = detail::breaker_access::look(*upstream_);
    using gate = machine::gate_word::phase;
    const probe_kind kind = now.word.state() != state::half_open ? probe_kind::none
                            : now.gate.is() == gate::taken       ? probe_kind::fleet
                                                                 : probe_kind::local;
    const http::request request{.url = settings_.upstream,
                                .headers = {{std::string(probe_header), std::string(to_string(kind))},
                                            {std::string(instance_header), std::to_string(settings_.number)}}};
    const http::outcome o = transport_.send(request);
    const verdict v = judge(o, transport_.settings());
    v == verdict::success ? ++passed_ : ++failed_;
    p.settle(v, o.ending == http::ending::complete ? "HTTP status " + std::to_string(o.reply.status) : o.reason);
  }

  void on_transition(const event& e) {
    to_.send({{"transition",
               {{"at", monotonic(e)},
                {"from", to_string(e.previous_state)},
                {"to", to_string(e.state)},
                {"reason", e.reason}}}});
  }

  void report_changes() {
    const machine::state_word word = detail::breaker_access::word(*upstream_);
    const bool whole = word.state() == state::closed && word.cause() != machine::cause::ramping;
    const json now{{"state", to_string(word.state())},
                   {"whole", whole},
                   {"link", member_->link_state() == sgf::link::shared ? "shared" : "local"},
                   {"losses", member_->metrics().link_losses}};
    if (now == reported_) return;
    reported_ = now;
    to_.send({{"now", now}});
  }

  void report_end() {
    const sgf::metrics m = member_->metrics();
    to_.send({{"end",
               {{"passed", passed_.load()},
                {"failed", failed_.load()},
                {"rejected", rejected_.load()},
                {"requests", m.requests},
                {"timeouts", m.timeouts},
                {"link_losses", m.link_losses},
                {"local_decisions", m.local_decisions},
                {"fleet_decisions", m.fleet_decisions},
                {"stale", m.stale},
                {"leases_granted", m.leases_granted},
                {"leases_unused", m.leases_unused},
                {"leases_lost", m.leases_lost},
                {"restores", m.restores}}}});
  }

  const client_settings settings_;
  reporter& to_;
  registry circuits_;
  const breaker_handle upstream_, instant_;
  http::transport transport_;
  std::mutex pace_mutex_;
  std::condition_variable_any pace_changed_;
  bool quick_ = false;
  std::atomic<std::uint64_t> passed_{0}, failed_{0}, rejected_{0};
  json reported_;
  subscription watching_;
  latency_probe latency_;
  std::optional<sgf::member> member_;
};

}  // namespace

int run_fleet_client() {
  reporter to;
  told control(first_inherited + 1);
  to.send({{"ready", true}});
  const std::optional<json> first = control.next(-1);
  if (!first) return 0;
  instance(client_settings_from(*first), to).run(control);
  return 0;
}

}  // namespace switchgear::demo::fleet
