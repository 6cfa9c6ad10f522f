// SPDX-License-Identifier: Apache-2.0
#include <switchgear/circuit_breaker.hpp>
#include <switchgear/json.hpp>
#include <switchgear/machine/figures.hpp>
#include <switchgear/saved_state.hpp>

#include <algorithm>
#include <array>

namespace switchgear::inline v1 {
namespace {

constexpr std::string_view magic = "sgstate\n";
constexpr std::int64_t longest = machine::latest;

/// FNV-1a, 64 bits (Fowler, Noll, Vo): against accidents, not against forgers.
std::uint64_t checksum(std::string_view bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

void put(std::string& out, std::uint64_t n) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(n >> 8 * i & 0xff);
}
void put(std::string& out, const std::string& text) {
  put(out, text.size());
  out += text;
}
void put(std::string& out, const std::optional<std::chrono::nanoseconds>& d) {
  put(out, d ? static_cast<std::uint64_t>(d->count()) + 1 : 0);
}

/// Takes values off the front; once something is missing everything is 0 and `good` is false.
struct reader {
  std::string_view rest;
  bool good = true;

  std::uint64_t number() {
    if (rest.size() < 8) {
      good = false;
      return 0;
    }
    std::uint64_t n = 0;
    for (int i = 0; i < 8; ++i) n |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest[static_cast<std::size_t>(i)])) << 8 * i;
    rest.remove_prefix(8);
    return n;
  }
  std::uint32_t small() {
    const std::uint64_t n = number();
    good = good && n <= 0xffffffffu;
    return static_cast<std::uint32_t>(n);
  }
  std::string text(std::size_t limit) {
    const std::uint64_t size = number();
    if (size > limit || size > rest.size()) {
      good = false;
      return {};
    }
    std::string out(rest.substr(0, size));
    rest.remove_prefix(size);
    return out;
  }
  std::optional<std::chrono::nanoseconds> duration() {
    const std::uint64_t n = number();
    return n == 0 ? std::nullopt : std::optional(std::chrono::nanoseconds(static_cast<std::int64_t>(n - 1)));
  }
};

constexpr std::array counters{&lifetime_metrics::successes,    &lifetime_metrics::failures,
                              &lifetime_metrics::timeouts,     &lifetime_metrics::ignored,
                              &lifetime_metrics::abandoned,    &lifetime_metrics::slow_calls,
                              &lifetime_metrics::rejections,   &lifetime_metrics::would_reject,
                              &lifetime_metrics::late_results, &lifetime_metrics::expired_probes,
                              &lifetime_metrics::transitions};

bool in_range(const std::optional<std::chrono::nanoseconds>& d) {
  return !d || (d->count() >= 0 && d->count() <= longest);
}

}  // namespace

std::string validate(const saved_state& s) {
  if (s.state > state::disabled) return "unknown state";
  // Generations are compared the short way round their 38 bits; nobody gets a quarter of the way.
  if (s.generation >= std::uint64_t{1} << 36) return "generation out of range";
  if (!in_range(s.remaining_open) || !in_range(s.remaining_override) || !in_range(s.since_last_closing)) {
    return "a duration is out of range";
  }
  if (s.consecutive_failures > machine::state_word::max_count) return "consecutive_failures out of range";
  if (s.half_open_successes >= 1000) return "half_open_successes out of range";
  if (s.failure_count >= 1u << 28) return "failure_count out of range";
  const bool timed = s.window_duration.count() != 0;
  if (timed && (s.window_duration < std::chrono::milliseconds(100) || s.window_duration > std::chrono::hours(24) ||
                s.window_size < 1 || s.window_size > 60)) {
    return "time window out of range";
  }
  if (!timed && (s.window_size < 1 || s.window_size > 10'000)) return "count window out of range";
  if (timed ? !s.verdicts.empty() : !s.buckets.empty()) return "a window of both kinds";
  if (s.verdicts.size() > s.window_size) return "more verdicts than the window holds";
  if (s.verdicts.find_first_not_of("sfSF") != std::string::npos) return "unknown verdict in the window";
  std::uint64_t ages = 0;
  for (const saved_state::bucket& b : s.buckets) {
    if (b.age >= s.window_size || (ages >> b.age & 1) != 0) return "a bucket is not part of the window";
    ages |= std::uint64_t{1} << b.age;
    if (b.calls >= std::uint64_t{1} << 40 || b.failures > b.calls || b.slow > b.calls) return "a bucket holds impossible numbers";
  }
  if (s.state != state::closed && (!s.verdicts.empty() || !s.buckets.empty() || s.consecutive_failures != 0)) {
    return "a window outside closed";
  }
  // Nobody counts so far; beyond it, counting on would begin anew at 0.
  constexpr std::uint64_t most = std::uint64_t{1} << 62;
  const lifetime_metrics& m = s.metrics;
  for (const std::uint64_t count : {m.successes, m.failures, m.timeouts, m.ignored, m.abandoned, m.slow_calls, m.rejections,
                                    m.would_reject, m.late_results, m.expired_probes, m.transitions}) {
    if (count > most) return "a lifetime metric is out of range";
  }
  if (m.timeouts > m.failures) return "more timeouts than failures";
  return {};
}

std::string to_binary(const saved_state& s) {
  std::string out(magic);
  put(out, saved_state::current_version);
  put(out, static_cast<std::uint64_t>(s.state));
  put(out, s.generation);
  put(out, static_cast<std::uint64_t>(s.remaining_open.count()));
  put(out, s.remaining_override);
  put(out, s.override_owner);
  put(out, s.override_reason);
  put(out, s.attempt);
  put(out, s.since_last_closing);
  put(out, s.failure_count);
  put(out, s.consecutive_failures);
  put(out, s.half_open_successes);
  put(out, s.verdicts);
  put(out, s.buckets.size());
  for (const saved_state::bucket& b : s.buckets) {
    put(out, b.age);
    put(out, b.calls);
    put(out, b.failures);
    put(out, b.slow);
  }
  put(out, static_cast<std::uint64_t>(s.window_duration.count()));
  put(out, s.window_size);
  for (const auto counter : counters) put(out, s.metrics.*counter);
  put(out, checksum(out));
  return out;
}

read_state from_binary(std::string_view bytes) {
  const auto refuse = [](std::string why) { return read_state{std::nullopt, std::move(why)}; };
  if (bytes.substr(0, magic.size()) != magic) return refuse("not a saved state of switchgear");
  if (bytes.size() < magic.size() + 16) return refuse("cut short");
  reader end{bytes.substr(bytes.size() - 8)};
  reader in{bytes.substr(magic.size(), bytes.size() - magic.size() - 8)};
  if (const std::uint64_t version = in.number(); version != saved_state::current_version) {
    return refuse("version " + std::to_string(version) + ", this library reads version " +
                  std::to_string(saved_state::current_version));
  }
  if (end.number() != checksum(bytes.substr(0, bytes.size() - 8))) return refuse("damaged: the checksum does not match");
  saved_state s;
  const std::uint64_t kind = in.number();
  s.state = static_cast<state>(kind <= 4 ? kind : 255);
  s.generation = in.number();
  s.remaining_open = std::chrono::nanoseconds(static_cast<std::int64_t>(in.number()));
  s.remaining_override = in.duration();
  s.override_owner = in.text(bytes.size());
  s.override_reason = in.text(bytes.size());
  s.attempt = in.small();
  s.since_last_closing = in.duration();
  s.failure_count = in.small();
  s.consecutive_failures = in.small();
  s.half_open_successes = in.small();
  s.verdicts = in.text(10'000);
  const std::uint64_t count = in.number();
  if (count > 60) return refuse("damaged: too many buckets");
  for (std::uint64_t i = 0; i < count; ++i) {
    saved_state::bucket b;
    b.age = in.small();
    b.calls = in.number();
    b.failures = in.number();
    b.slow = in.number();
    s.buckets.push_back(b);
  }
  s.window_duration = std::chrono::nanoseconds(static_cast<std::int64_t>(in.number()));
  s.window_size = in.small();
  for (const auto counter : counters) s.metrics.*counter = in.number();
  if (!in.good || !in.rest.empty()) return refuse("damaged: wrong length");
  if (std::string why = validate(s); !why.empty()) return refuse("damaged: " + why);
  return {std::move(s), {}};
}

std::string to_json(const saved_state& s) {
  const auto nanoseconds = [](const std::optional<std::chrono::nanoseconds>& d) {
    return d ? std::to_string(d->count()) : "null";
  };
  std::string out = "{\"switchgear_saved_state\":" + std::to_string(saved_state::current_version);
  const auto member = [&out](const char* key, const std::string& json) { out += std::string(",\"") + key + "\":" + json; };
  member("state", json_string(to_string(s.state)));
  member("generation", std::to_string(s.generation));
  member("remaining_open_ns", std::to_string(s.remaining_open.count()));
  member("remaining_override_ns", nanoseconds(s.remaining_override));
  member("override_owner", json_string(s.override_owner));
  member("override_reason", json_string(s.override_reason));
  member("attempt", std::to_string(s.attempt));
  member("since_last_closing_ns", nanoseconds(s.since_last_closing));
  member("failure_count", std::to_string(s.failure_count));
  member("consecutive_failures", std::to_string(s.consecutive_failures));
  member("half_open_successes", std::to_string(s.half_open_successes));
  member("verdicts", json_string(s.verdicts));
  std::string buckets = "[";
  for (const saved_state::bucket& b : s.buckets) {
    if (buckets.size() > 1) buckets += ",";
    buckets += "[" + std::to_string(b.age) + "," + std::to_string(b.calls) + "," + std::to_string(b.failures) + "," +
               std::to_string(b.slow) + "]";
  }
  member("buckets", buckets + "]");
  member("window_duration_ns", std::to_string(s.window_duration.count()));
  member("window_size", std::to_string(s.window_size));
  static constexpr std::array names{"successes",  "failures",     "timeouts",     "ignored",        "abandoned", "slow_calls",
                                    "rejections", "would_reject", "late_results", "expired_probes", "transitions"};
  std::string metrics = "{";
  for (std::size_t i = 0; i < names.size(); ++i) {
    metrics += (i == 0 ? "\"" : ",\"") + std::string(names[i]) + "\":" + std::to_string(s.metrics.*counters[i]);
  }
  member("metrics", metrics + "}");
  return out + "}";
}

saved_state circuit_breaker::save() const {
  const std::int64_t time = now();
  const std::lock_guard lock(mutex_);  // no other configuration and no override meanwhile
  const machine::settings& in_force = storage_.in_force();
  machine::state_word word;
  machine::observation seen;
  do {
    word = {storage_.header().word.load()};
    seen = storage_.machine().observe(time);
  } while (seen.generation != word.generation());
  saved_state s;
  s.state = word.state();
  s.generation = word.generation();
  if (s.state == state::open) s.remaining_open = std::chrono::nanoseconds(std::max<std::int64_t>(0, seen.facts.until - time));
  if (s.state == state::forced_open || s.state == state::disabled) {
    if (seen.facts.until >= 0) s.remaining_override = std::chrono::nanoseconds(std::max<std::int64_t>(0, seen.facts.until - time));
    if (operator_) {
      s.override_owner = operator_->owner;
      s.override_reason = operator_->reason;
    }
  }
  s.attempt = seen.facts.attempt;
  if (seen.facts.closed_at >= 0) s.since_last_closing = std::chrono::nanoseconds(std::max<std::int64_t>(0, time - seen.facts.closed_at));
  s.failure_count = seen.facts.failure_count;
  s.consecutive_failures = s.state == state::closed ? seen.consecutive_failures : 0;
  s.half_open_successes = s.state == state::half_open ? seen.half_open_successes : 0;
  s.window_size = in_force.timed_window ? in_force.window_buckets : in_force.window_calls;
  if (in_force.timed_window) {
    s.window_duration = std::chrono::nanoseconds(in_force.window_duration);
    machine::time_window<std::atomic>(storage_.window(), in_force, storage_.lane_count())
        .for_each(word.generation(), time, [&s](std::uint32_t age, const machine::window_totals& held) {
          // Counters of a bucket are read one after the other; a call that settles meanwhile must not make it impossible.
          const std::uint64_t calls = std::max({held.calls, held.failures, held.slow});
          s.buckets.push_back({age, calls, held.failures, held.slow});
        });
  } else {
    machine::count_window<std::atomic>(storage_.window(), in_force.window_calls)
        .for_each(word.generation(), [&s](bool failed, bool slow) { s.verdicts += failed ? (slow ? 'F' : 'f') : (slow ? 'S' : 's'); });
  }
  s.metrics = machine::lifetime(storage_.machine().metrics());
  return s;
}

std::string circuit_breaker::restore(const saved_state& saved, std::chrono::nanoseconds elapsed) {
  if (home_) return "the circuit is shared with other processes, and they are using it";
  if (std::string why = validate(saved); !why.empty()) return why;
  const std::int64_t time = now();
  const std::int64_t gone = std::clamp<std::int64_t>(elapsed.count(), 0, longest);
  const machine::settings& in_force = storage_.in_force();
  auto& header = storage_.header();
  machine::real_machine::saved_core core;
  core.state = saved.state;
  core.generation = std::max(saved.generation, machine::state_word{header.word.load()}.generation());
  core.count = saved.state == state::closed ? saved.consecutive_failures
               : saved.state == state::half_open ? saved.half_open_successes
                                                 : saved.failure_count;
  core.known.attempt = saved.attempt;
  core.known.failure_count = saved.failure_count;
  if (saved.since_last_closing && saved.since_last_closing->count() + gone <= time) {
    core.known.closed_at = time - saved.since_last_closing->count() - gone;
  }
  core.known.until = -1;
  if (saved.state == state::open) {
    core.known.until = machine::later(time, std::max<std::int64_t>(0, saved.remaining_open.count() - gone));
  } else if (saved.remaining_override) {
    core.known.until = machine::later(time, std::max<std::int64_t>(0, saved.remaining_override->count() - gone));
  } else if (saved.state == state::closed || saved.state == state::half_open) {
    core.known.until = 0;
  }
  const std::uint64_t generation = (core.generation + 1) & machine::state_word::generation_mask;

  header.failures.store(saved.metrics.failures);
  header.timeouts.store(saved.metrics.timeouts);
  header.ignored.store(saved.metrics.ignored);
  header.abandoned.store(saved.metrics.abandoned);
  header.slow_calls.store(saved.metrics.slow_calls);
  header.would_reject.store(saved.metrics.would_reject);
  header.late_results.store(saved.metrics.late_results);
  header.expired_probes.store(saved.metrics.expired_probes);
  header.transitions.store(saved.metrics.transitions);
  // The lanes belong to their threads, so what they hold is taken off and what was saved put on, modulo 2^64.
  const machine::totals sum = storage_.machine().metrics();
  header.successes_before.fetch_add(sum.successes - saved.metrics.successes);
  header.rejections_before.fetch_add(sum.rejections - saved.metrics.rejections);

  if (in_force.timed_window && saved.window_duration.count() == in_force.window_duration && saved.window_size == in_force.window_buckets) {
    machine::time_window<std::atomic> window(storage_.window(), in_force, storage_.lane_count());
    const std::uint64_t aged = window.bucket(gone);
    for (const saved_state::bucket& b : saved.buckets) {
      if (b.age + aged < saved.window_size) {
        window.load(generation, time, static_cast<std::uint32_t>(b.age + aged), {b.calls, b.failures, b.slow});
      }
    }
  } else if (!in_force.timed_window && saved.window_duration.count() == 0 && saved.window_size == in_force.window_calls) {
    machine::count_window<std::atomic> window(storage_.window(), in_force.window_calls);
    for (const char v : saved.verdicts) window.push(generation, v == 'f' || v == 'F', v == 'S' || v == 'F');
  }
  machine::transitions changes;
  changes.add(storage_.machine().restore(core, time));
  if (saved.state == state::forced_open || saved.state == state::disabled) {
    const std::lock_guard lock(mutex_);
    if (!operator_) operator_ = std::make_unique<operator_part>();
    operator_->override_generation = generation;
    operator_->owner = saved.override_owner;
    operator_->reason = saved.override_reason;
  }
  if (detail::event_hub* const hub = hub_.load()) hub->resume_after(core.generation);
  report(changes);
  return {};
}

}  // namespace switchgear::inline v1
