// SPDX-License-Identifier: Apache-2.0
#include "conductor.hpp"

#include "../conductor.hpp"
#include "crew.hpp"
#include "sabotage.hpp"
#include "upstream.hpp"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace switchgear::demo::fleet {
namespace {

using clock = crew::clock;
using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto open_duration = 500ms, ramp_step = 200ms;
constexpr auto patience = 20s;  ///< for the fleet to come to an agreement

std::int64_t monotonic_now() { return clock::now().time_since_epoch().count(); }

/// What the conductor knows of an instance.
struct instance {
  member* process = nullptr;
  bool whole = false, linked = false;
  std::uint64_t losses = 0;          ///< how often it has lost the store
  bool alone = false, had_store = true;  ///< in this round: it sent probes without a lease; it had the store all the time
};

class conductor {
 public:
  conductor(const settings& with, screen& show) : settings_(with), show_(show) {
    results_.processes = with.processes;
    results_.limit = with.limit;
    results_.opening = with.opening;
    results_.skipped = store_.leave_what_can_be_done(settings_.faults);
  }

  ~conductor() {
    // Nobody is left to write into the store when what they wrote is removed from it.
    for (const instance& i : instances_) i.process->process.kill_and_wait();
    store_.clean_up();
  }
  conductor(const conductor&) = delete;
  conductor& operator=(const conductor&) = delete;

  results run() {
    start();
    introduce();
    const auto plan = plan_rounds(settings_.faults, settings_.processes, settings_.rounds);
    results_.rounds.reserve(plan.size());
    for (const round_plan& p : plan) {
      if (settings_.seconds && now() > *settings_.seconds) break;
      results_.rounds.push_back({.plan = p, .opened = {}, .revived = {}, .whole = {}, .injected = {}, .healed = {}, .linked = {},
                                 .problems = {}, .timed = {}});
      results_.rounds.back().opened.resize(instances_.size());
      play(results_.rounds.back(), plan.size());
    }
    finish();
    results_.seconds = now();
    return std::move(results_);
  }

 private:
  [[nodiscard]] double now() const { return std::chrono::duration<double>(clock::now() - begin_).count(); }
  [[nodiscard]] round_record& round() { return results_.rounds.back(); }

  // --- beginning and end ---

  [[nodiscard]] bool has(fault f) const { return std::ranges::find(settings_.faults, f) != settings_.faults.end(); }

  void start() {
    for (int i = 0; i < settings_.processes; ++i) {
      const bool apart = has(fault::cut) && i == settings_.processes - 1;
      instances_.push_back({.process = &crew_.add("instance " + std::to_string(i + 1), i,
                                                  {.arguments = {"demo-fleet-client", std::to_string(i + 1)},
                                                   .inherited = {},
                                                   .own_network = apart})});
    }
    for (const instance& i : instances_) crew_.wait_until_ready(*i.process);
    if (has(fault::cut)) {
      store_.isolate(instances_.back().process->process.pid());
      port_.keep_on(store_.isolated()->upstream_address());
    }
    store_.start();
    start_upstream();
    for (const instance& i : instances_) i.process->tell(to_json(settings_of(i.process->number)));
    const auto agreed = [this] { return all_agree(); };
    if (!crew_.listen_until(clock::now() + patience, agreed)) throw std::runtime_error("the instances do not find the store");
    begin_ = clock::now();
  }

  client_settings settings_of(int number) const {
    const bool apart = store_.isolated() != nullptr && number == settings_.processes - 1;
    client_settings s;
    s.number = number;
    s.store = apart ? store_.url_for_isolated() : store_.url();
    s.name = name_;
    const std::string address = apart ? store_.isolated()->upstream_address() : "127.0.0.1";
    s.upstream = "http://" + address + ":" + std::to_string(port_.number()) + "/";
    s.opening = settings_.opening;
    // The upstream gets about 640 calls a second, however many they are.
    s.pace = std::max(s.pace, std::chrono::microseconds(s.threads * settings_.processes * 1'000'000 / 640));
    s.limit = settings_.limit;
    s.open_duration = open_duration;
    s.ramp_step = ramp_step;
    return s;
  }

  void introduce() {
    results_.store = store_.words();
    show_.line(std::to_string(settings_.processes) + " instances of a service in processes of their own, one upstream.");
    show_.line("  fleet    " + name_ + ", sharing: " + std::string(mode_names[static_cast<int>(settings_.opening)]) +
               ", probes at a time: " + std::to_string(settings_.limit));
    show_.line("  store    " + results_.store);
    show_.line("  upstream pid " + std::to_string(upstream_->process.pid()) + "  http://127.0.0.1:" +
               std::to_string(port_.number()));
    if (store_.isolated() != nullptr) {
      show_.line("  instance " + std::to_string(settings_.processes) + " is in a network of its own");
    }
    for (const std::string& s : results_.skipped) show_.line("  skipped  " + s, colour::yellow);
    show_.line();
  }

  void finish() {
    for (const instance& i : instances_) crew_.dismiss(*i.process);
  }

  // --- the upstream ---

  void start_upstream() {
    std::vector<std::string> arguments{"demo-fleet-upstream"};
    arguments.insert(arguments.end(), port_.addresses().begin(), port_.addresses().end());
    upstream_ = &crew_.add("the upstream", -1, {.arguments = std::move(arguments), .inherited = {}});
    crew_.wait_until_ready(*upstream_);
  }

  void break_upstream() {
    closed_ = probed_ = false;
    round().down = monotonic_now();
    if (round().plan.killed) {
      crew_.remove(*upstream_);
    } else {
      write_line(upstream_->control.get(), "sick");
    }
  }

  void mend_upstream() {
    round().plan.killed ? start_upstream() : static_cast<void>(write_line(upstream_->control.get(), "well"));
    round().revived = monotonic_now();
    closed_ = probed_ = false;
  }

  // --- a round ---

  void play(round_record& r, std::size_t of) {
    for (instance& i : instances_) i.alone = false, i.had_store = i.linked;
    enter(phase::opening);
    set_quick(true);
    wait_for(60ms);
    break_upstream();
    if (r.plan.what != fault::none && r.plan.when == phase::opening) {
      wait_for(12ms);
      inject();
    }
    const auto all_opened = [&] { return std::ranges::all_of(r.opened, [](const auto& o) { return o.has_value(); }); };
    if (!wait_until(5s, all_opened)) r.problems.emplace_back("not every circuit opened within 5 s");
    set_quick(false);

    enter(phase::open);
    wait_for(open_duration / 3);
    inject_if(phase::open);
    if (r.plan.killed) mend_upstream();
    // Else the first probes find an upstream that is still sick.
    wait_until(10s, [&] { return probed_; });
    enter(phase::probing);
    inject_if(phase::probing);
    if (!r.plan.killed) {
      wait_for(100ms);
      mend_upstream();
    }
    wait_until(patience, [&] { return closed_; });

    enter(phase::ramp);
    wait_for(ramp_step * 3 / 2);
    inject_if(phase::ramp);
    wait_until(patience, [&] { return all_whole(); });
    r.whole = monotonic_now();

    enter(phase::healthy);
    wait_for(150ms);
    inject_if(phase::healthy);
    wait_for(250ms);
    if (!wait_until(patience, [&] { return !store_.acting() && !settled_from_ && all_agree(); })) {
      r.problems.emplace_back("the instances did not agree again within 20 s: " + who_does_not());
    }
    set_window(-1);
    for (const instance& i : instances_) {
      // With the other modes a circuit may be open at one instance alone, and recovers there alone.
      if (settings_.opening == mode::any && i.alone && i.had_store) {
        r.problems.push_back(i.process->name + " sent a probe without a lease, though it had the store");
      }
    }
    tell(r, of);
  }

  /// Which instances are the first to see the failures.
  void set_quick(bool on) {
    for (int i = 0; i < results_.deciding(); ++i) {
      const auto which = static_cast<std::size_t>((round().plan.first + i) % settings_.processes);
      instances_[which].process->tell({{"quick", on}});
    }
  }

  void enter(phase p) {
    if (round().plan.what == fault::none) set_window(static_cast<int>(p));
  }

  /// What is timed from now on: a number of phase in a quiet round, as many as there are phases for a fault, -1 for nothing.
  void set_window(int kind) {
    window_ = kind < 0 ? -1 : static_cast<int>(windows_.size());
    if (kind >= 0) windows_.push_back({results_.rounds.size() - 1, kind});
    for (const instance& i : instances_) i.process->tell({{"window", window_}});
  }

  [[nodiscard]] bool all_whole() const {
    return std::ranges::all_of(instances_, [](const instance& i) { return i.whole; });
  }
  [[nodiscard]] bool all_agree() const {
    return std::ranges::all_of(instances_, [](const instance& i) { return i.whole && i.linked; });
  }
  [[nodiscard]] std::string who_does_not() const {
    std::string names;
    for (const instance& i : instances_) {
      if (i.whole && i.linked) continue;
      names += (names.empty() ? "" : ", ") + i.process->name + (i.linked ? "" : " (without the store)");
    }
    return names.empty() ? "the fault is still there" : names;
  }

  void wait_for(std::chrono::nanoseconds time) {
    wait_until(time, [] { return false; });
  }
  bool wait_until(std::chrono::nanoseconds time, const std::function<bool()>& done) {
    return crew_.listen_until(clock::now() + time, [&] {
      undo_if_due();
      return done();
    });
  }

  // --- faults ---

  void inject_if(phase p) {
    if (round().plan.what != fault::none && round().plan.when == p) inject();
  }

  void inject() {
    set_window(static_cast<int>(all_phases.size()));
    const round_plan& plan = round().plan;
    show_.note(now(), tag() + "while " + std::string(while_words(plan.when)) + ": " + store_.words_of(plan.what), colour::yellow);
    round().injected = monotonic_now();
    store_.begin(plan.what);
  }

  static std::string_view while_words(phase p) {
    switch (p) {
      case phase::opening: return "the circuits open";
      case phase::open: return "the circuits are open";
      case phase::probing: return "a probe is under way";
      case phase::ramp: return "a share of the calls is admitted";
      case phase::healthy: return "all is well";
    }
    return {};
  }

  void undo_if_due() {
    if (store_.undo_if_due()) {
      round().healed = monotonic_now();
      settled_from_ = clock::now() + 500ms;  // an instance may not have noticed yet
    }
    if (round().healed && !round().linked && all_linked()) round().linked = monotonic_now();
    if (settled_from_ && clock::now() >= *settled_from_ && all_linked()) {
      settled_from_.reset();
      set_window(-1);
    }
  }

  [[nodiscard]] bool all_linked() const {
    return std::ranges::all_of(instances_, [](const instance& i) { return i.linked; });
  }

  // --- listening ---

  void hear(const member& who, const json& line) {
    if (line.contains("probe")) return hear_of_probe(line);
    if (line.contains("transition")) return hear_of_transition(who, line.at("transition"));
    if (line.contains("now")) {
      instance& i = instances_[static_cast<std::size_t>(who.number)];
      i.whole = line.at("now").at("whole");
      i.linked = line.at("now").at("link") == "shared";
      const auto losses = line.at("now").at("losses").get<std::uint64_t>();
      if (!i.linked || losses != i.losses) i.had_store = false;
      i.losses = losses;
    } else if (line.contains("latency")) {
      hear_of_latency(line.at("latency"));
    } else if (line.contains("end")) {
      for (const auto& [name, value] : line.at("end").items()) results_.counts[name] += value.get<std::uint64_t>();
    }
  }

  void hear_of_probe(const json& line) {
    if (results_.rounds.empty()) return;
    round_record& r = round();
    probed_ = true;
    const bool leased = line.at("probe") == "fleet";
    ++(leased ? r.fleet_probes : r.local_probes);
    if (!leased) instances_.at(line.at("instance").get<std::size_t>()).alone = true;
    const int fleet = line.at("fleet"), own = line.at("local_of_instance");
    if (fleet > settings_.limit && fleet > r.most_fleet) {
      break_promise(std::to_string(fleet) + " probes of the fleet were at the upstream at a time, " +
                    std::to_string(settings_.limit) + " are allowed");
    }
    if (own > settings_.limit && own > r.most_local_of_one) {
      break_promise(std::to_string(own) + " probes of one instance were at the upstream at a time, " +
                    std::to_string(settings_.limit) + " are allowed");
    }
    r.most_fleet = std::max(r.most_fleet, fleet);
    r.most_local = std::max(r.most_local, line.at("local").get<int>());
    r.most_local_of_one = std::max(r.most_local_of_one, own);
  }

  void break_promise(const std::string& how) {
    round().problems.push_back(how);
    show_.note(now(), tag() + how, colour::red);
  }

  void hear_of_transition(const member& who, const json& t) {
    if (results_.rounds.empty()) return;
    const std::int64_t at = t.at("at");
    auto& opened = round().opened[static_cast<std::size_t>(who.number)];
    if (t.at("to") == "open" && round().down > 0 && at >= round().down && !opened) opened = at;
    if (t.at("to") == "closed" && round().revived && at >= *round().revived) closed_ = true;
  }

  void hear_of_latency(const json& l) {
    const window& w = windows_.at(l.at("window").get<std::size_t>());
    const latencies some{.single = histogram::from(l.at("single")), .blocks = histogram::from(l.at("blocks"))};
    results_.rounds[w.round].timed.add(some);
    if (w.kind < static_cast<int>(all_phases.size())) results_.quiet[static_cast<std::size_t>(w.kind)].add(some);
  }

  // --- telling ---

  [[nodiscard]] std::string tag() const { return "round " + std::to_string(results_.rounds.size()) + ": "; }

  void tell(const round_record& r, std::size_t of) {
    auto delays = propagation(r, results_.deciding());
    const auto slowest = delays.empty() ? 0 : *std::ranges::max_element(delays);
    const auto text = [](std::int64_t ns) { return short_time(std::chrono::nanoseconds(ns)); };
    std::string line = "round " + std::to_string(results_.rounds.size()) + " of " + std::to_string(of) + ", upstream " +
                       (r.plan.killed ? "killed" : "sick") + ": " +
                       std::to_string(delays.size()) + " more open after " + text(slowest);
    if (r.revived && r.whole) line += ", all whole " + text(*r.whole - *r.revived) + " after it was back";
    line += "; probes at a time: " + std::to_string(r.most_fleet) + " of the fleet";
    if (r.most_local > 0) line += ", " + std::to_string(r.most_local) + " of those alone";
    for (const std::string& p : r.problems) line += "; BROKEN: " + p;
    show_.note(now(), line, r.problems.empty() ? colour::green : colour::red);
  }

  struct window {
    std::size_t round;
    int kind;
  };

  settings settings_;
  screen& show_;
  results results_;
  clock::time_point begin_ = clock::now();
  const std::string name_ = "demo-" + std::to_string(::getpid()) + "-" + std::to_string(monotonic_now() % 1'000'000'000);
  crew crew_{[this](const member& who, const json& line) { hear(who, line); }};  // blocks signals: before all children
  sabotage store_{settings_.store, name_};
  kept_port port_;
  std::vector<instance> instances_;
  member* upstream_ = nullptr;
  std::vector<window> windows_;
  int window_ = -1;
  bool closed_ = false, probed_ = false;
  std::optional<clock::time_point> settled_from_;
};

}  // namespace

results conduct(const settings& with, screen& show) { return conductor(with, show).run(); }

}  // namespace switchgear::demo::fleet
