// SPDX-License-Identifier: Apache-2.0
#include "conductor.hpp"

#include "client.hpp"
#include "client_circuits.hpp"
#include "process.hpp"

#include <switchgear/dashboard.hpp>
#include <switchgear/event_reader.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <stdexcept>

namespace switchgear::demo {
namespace {

using clock = std::chrono::steady_clock;
using nlohmann::json;
using namespace std::chrono_literals;

constexpr int client_count = 2;
constexpr auto patience = 15s;  ///< for a process to start or to end

/// A process and the pipes between us: its reports, and the one whose end tells it to stop.
struct peer {
  std::string name;
  demo::child process;
  descriptor reports, control;
  std::string received;
  bool ready = false;
  bool may_end = false;
  bool ended = false;
  client_story story;
  bool told_of_rejections = false;
};

class conductor {
 public:
  conductor(int seconds, screen& show, const page_settings& page)
      : seconds_(seconds), show_(show), row_period_(std::max(0.5, seconds / 20.0)) {
    using ms = std::chrono::milliseconds;
    settings_.timeout = std::max(ms(200), ms(seconds * 25));
    settings_.open_duration = ms(seconds * 100);
    circuits_ = std::make_shared<client_circuits>(settings_.breaker());
    if (page.shown) page_ = open_page(page.listen);
  }

  ~conductor() {
    // What the page does to a client goes through the pipe of that client.
    for (std::size_t i = 0; i < clients_.size(); ++i) circuits_->remove_client(static_cast<int>(i));
  }
  conductor(const conductor&) = delete;
  conductor& operator=(const conductor&) = delete;

  results run() {
    for (std::size_t u = 0; u < upstream_names.size(); ++u) {
      listeners_[u] = listen_on_loopback();
      settings_.ports[u] = listeners_[u].port;
      upstreams_[u] = start_upstream(u);
    }
    for (const auto& u : upstreams_) wait_until_ready(*u);
    for (int i = 0; i < client_count; ++i) clients_.push_back(start_client(i));
    for (const auto& c : clients_) wait_until_ready(*c);
    introduce();
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      circuits_->add_client(static_cast<int>(i),
                            [to = clients_[i]->control.get()](const std::string& line) { return write_line(to, line); });
    }

    start_ = clock::now();
    for (const auto& c : clients_) write_line(c->control.get(), "");
    pump_until(at(0.2));
    kill_payments();
    pump_until(at(0.55));
    restart_payments();
    pump_until(at(1.0));
    finish();
    return gather();
  }

 private:
  [[nodiscard]] double now() const { return std::chrono::duration<double>(clock::now() - start_).count(); }
  [[nodiscard]] clock::time_point at(double share) const {
    return start_ + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(share * seconds_));
  }

  // --- the page ---

  std::unique_ptr<dashboard> open_page(const std::string& listen) {
    dashboard_options options{.token = make_token().substr(0, 24), .refresh = 500ms, .title = "switchgear demo"};
    options.listen = listen.empty() ? "127.0.0.1:8600" : listen;
    try {
      return std::make_unique<dashboard>(circuits_, options);
    } catch (const listen_error&) {
      if (!listen.empty()) throw;
    }
    options.listen = "127.0.0.1:0";
    return std::make_unique<dashboard>(circuits_, options);
  }

  // --- processes ---

  std::unique_ptr<peer> start_upstream(std::size_t which) {
    auto p = std::make_unique<peer>();
    p->name = "upstream " + std::string(upstream_names[which]);
    pipe_ends reports = make_pipe(), control = make_pipe();
    p->process = child({"demo-upstream", std::string(upstream_names[which])},
                       {listeners_[which].socket.get(), reports.write.get(), control.read.get()});
    p->reports = std::move(reports.read);
    p->control = std::move(control.write);
    return p;
  }

  std::unique_ptr<peer> start_client(int number) {
    auto p = std::make_unique<peer>();
    p->name = "client " + std::to_string(number + 1);
    pipe_ends reports = make_pipe(), control = make_pipe();
    const auto text = [](auto n) { return std::to_string(n); };
    p->process = child({"demo-client", "--payments", text(settings_.ports[payments]), "--search",
                        text(settings_.ports[search]), "--threads", text(settings_.threads), "--pace",
                        text(settings_.pace.count()), "--timeout", text(settings_.timeout.count()), "--open-duration",
                        text(settings_.open_duration.count())},
                       {reports.write.get(), control.read.get()});
    p->reports = std::move(reports.read);
    p->control = std::move(control.write);
    p->story.pid = p->process.pid();
    return p;
  }

  void wait_until_ready(const peer& p) {
    pump_until(clock::now() + patience, [&] { return p.ready; });
    if (!p.ready) throw std::runtime_error(p.name + " did not start within 15 s");
  }

  void introduce() {
    const std::string threads = std::to_string(settings_.threads);
    show_.line("Two upstreams and two client processes, " + std::to_string(seconds_) + " s. Each client calls both");
    show_.line("upstreams from " + threads + " threads through breakers, and from " + threads + " twins without.");
    for (std::size_t u = 0; u < upstream_names.size(); ++u) {
      const std::string pid = std::to_string(upstreams_[u]->process.pid());
      show_.line("  upstream " + left(upstream_names[u], 9) + " pid " + left(pid, 8) +
                 "http://127.0.0.1:" + std::to_string(settings_.ports[u]));
    }
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      const std::string pid = std::to_string(clients_[i]->process.pid());
      show_.line("  client   " + left("[" + std::to_string(i + 1) + "]", 9) + " pid " + pid);
    }
    if (page_) show_.line("  page     " + page_->url_with_token());
    show_.line("  breaker  5 failures in a row open it for " + short_time(settings_.open_duration) +
               "; a call may take " + short_time(settings_.timeout));
    show_.line();
    show_.row_heading();
  }

  void kill_payments() {
    peer& p = *upstreams_[payments];
    const pid_t pid = p.process.pid();
    p.may_end = true;
    p.process.kill_and_wait();
    killed_at_ = now();
    show_.note(killed_at_, "kill -9 " + std::to_string(pid) + ": payments is dead, calls to its port hang",
               colour::red);
  }

  void restart_payments() {
    upstreams_[payments] = start_upstream(payments);
    wait_until_ready(*upstreams_[payments]);
    restarted_at_ = now();
    for (const auto& c : clients_) c->story.recovered.reset();
    show_.note(restarted_at_,
               "payments started again on the same port, pid " + std::to_string(upstreams_[payments]->process.pid()),
               colour::green);
  }

  void finish() {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      circuits_->remove_client(static_cast<int>(i));
      clients_[i]->may_end = true;
      clients_[i]->control.close();
    }
    rows_ = false;
    for (const auto& c : clients_) {
      pump_until(clock::now() + patience, [&] { return c->ended; });
      if (!c->ended || c->story.breakers.is_null()) {
        throw std::runtime_error(c->name + " did not end as it was asked to");
      }
      c->process.wait();
    }
  }

  results gather() {
    results r;
    r.seconds = seconds_;
    r.killed_at = killed_at_;
    r.restarted_at = restarted_at_;
    r.timeout = std::chrono::duration<double>(settings_.timeout).count();
    r.counts = total_;
    for (const auto& c : clients_) r.clients.push_back(c->story);
    return r;
  }

  // --- listening ---

  /// Handles all that comes until then, or until `done`.
  void pump_until(clock::time_point end, const std::function<bool()>& done = [] { return false; }) {
    while (!done()) {
      const auto now = clock::now();
      auto next = end;
      if (rows_ && start_ != clock::time_point{}) {
        const auto row_at = start_ + std::chrono::duration_cast<clock::duration>(
                                         std::chrono::duration<double>(row_period_ * (rows_shown_ + 1)));
        if (now >= row_at) {
          show_row();
          continue;
        }
        next = std::min(next, row_at);
      }
      if (now >= end) return;
      listen(std::chrono::ceil<std::chrono::milliseconds>(next - now));
    }
  }

  void show_row() {
    ++rows_shown_;
    show_.row(row_period_ * rows_shown_, since_row_, row_period_);
    since_row_ = {};
  }

  void listen(std::chrono::milliseconds longest) {
    std::vector<peer*> peers;
    std::vector<pollfd> fds{{signals_.get(), POLLIN, 0}};
    const auto add = [&](const std::unique_ptr<peer>& p) {
      if (!p || p->ended) return;
      peers.push_back(p.get());
      fds.push_back({p->reports.get(), POLLIN, 0});
    };
    std::for_each(upstreams_.begin(), upstreams_.end(), add);
    std::for_each(clients_.begin(), clients_.end(), add);
    if (::poll(fds.data(), fds.size(), static_cast<int>(longest.count())) <= 0) return;
    // First of all: after Ctrl-C nothing that a child does is worth a word.
    if (const auto signal = signals_.take()) throw interrupted(*signal);
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (fds[i + 1].revents != 0) receive(*peers[i]);
    }
  }

  void receive(peer& p) {
    char buffer[64 * 1024];
    const ssize_t n = ::read(p.reports.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) {
      p.ended = true;
      if (!p.may_end) throw std::runtime_error(p.name + " ended before its time: " + p.process.wait());
      return;
    }
    p.received.append(buffer, static_cast<std::size_t>(n));
    for (auto end = p.received.find('\n'); end != p.received.npos; end = p.received.find('\n')) {
      const std::string line = p.received.substr(0, end);
      p.received.erase(0, end + 1);
      handle(p, line);
    }
  }

  void handle(peer& p, const std::string& line) {
    if (line == "ready") {
      p.ready = true;
      return;
    }
    const json j = json::parse(line);
    if (j.contains("ready")) {
      p.ready = true;
    } else if (j.contains("counts")) {
      const tallies t = tallies_from(j.at("counts"));
      total_.add(t);
      since_row_.add(t);
      tell_of_rejections(p, t);
    } else if (j.contains("circuits")) {
      circuits_->report(number_of(p), j.at("circuits"));
    } else if (j.contains("event")) {
      on_event(p, j.at("event"));
    } else if (j.contains("acted")) {
      circuits_->acted(j.at("acted"));
    } else if (j.contains("end")) {
      p.story.breakers = j.at("end");
    }
  }

  [[nodiscard]] int number_of(const peer& p) const {
    const auto found = std::ranges::find_if(clients_, [&](const auto& c) { return c.get() == &p; });
    return static_cast<int>(found - clients_.begin());
  }

  void on_event(peer& p, const json& wire) {
    const event_reading read = read_event(wire.dump());
    if (!read) throw std::runtime_error(p.name + " tells of an event that is none: " + read.error);
    circuits_->tell(*read.value);
    if (is_transition(read.value->kind)) on_transition(p, *read.value);
  }

  void on_transition(peer& p, const event& e) {
    const double when = now();
    if (e.service == upstream_names[payments] && killed_at_ > 0) {
      if (e.state == state::open && !p.story.opened) p.story.opened = when;
      if (e.state == state::open) p.story.recovered.reset();
      if (e.state == state::closed && p.story.opened) p.story.recovered = when;
    }
    if (e.previous_state == state::closed) p.told_of_rejections = false;
    p.story.transitions.push_back({{"at", when},
                                   {"upstream", e.service},
                                   {"from", to_string(e.previous_state)},
                                   {"to", to_string(e.state)},
                                   {"reason", e.reason}});
    show_.note(when, tag(p) + log_line(e),
               e.state == state::closed ? colour::green : e.state == state::open ? colour::red : colour::yellow);
  }

  // Once for each opening: what the breaker saves, in numbers.
  void tell_of_rejections(peer& p, const tallies& t) {
    const auto& rejections = t.guarded[payments].rejection_ns;
    if (rejections.empty() || p.told_of_rejections) return;
    p.told_of_rejections = true;
    const auto waited = quantile(total_.unguarded[payments].failure_ns, 0.5);
    show_.note(now(), tag(p) + "payments: rejected in " + short_time(quantile(rejections, 0.5)) +
                          (waited.count() > 0 ? "; an unguarded call waits " + short_time(waited) : std::string()),
               colour::yellow);
  }

  static std::string tag(const peer& p) { return "[" + p.name.substr(p.name.size() - 1) + "] "; }

  const int seconds_;
  screen& show_;
  const double row_period_;
  // Before the children, so that the signals stay blocked until the last of them is gone.
  signal_inbox signals_;
  client_settings settings_;
  std::array<listener, upstream_names.size()> listeners_;
  std::array<std::unique_ptr<peer>, upstream_names.size()> upstreams_;
  std::vector<std::unique_ptr<peer>> clients_;
  clock::time_point start_{};
  double killed_at_ = 0, restarted_at_ = 0;
  int rows_shown_ = 0;
  bool rows_ = true;
  tallies total_, since_row_;
  std::shared_ptr<client_circuits> circuits_;
  std::unique_ptr<dashboard> page_;  ///< goes first
};

}  // namespace

results conduct(int seconds, screen& show, const page_settings& page) { return conductor(seconds, show, page).run(); }

}  // namespace switchgear::demo
