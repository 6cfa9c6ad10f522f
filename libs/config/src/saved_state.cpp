// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/saved_state.hpp"

#include "switchgear/config/json.hpp"
#include "switchgear/config/keys.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace switchgear::inline v1 {
namespace {

using ordered = nlohmann::ordered_json;
using std::chrono::nanoseconds;

constexpr std::string_view version_member = "switchgear_saved_state";

std::string kind_of(const ordered& value) {
  if (value.is_number()) return "another number";
  if (value.is_string()) return "text";
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  return value.is_null() ? "null" : "true or false";
}

/// A whole number from 0 to `most`. A negative one, one with a decimal point and one that is too long for 64 bits have
/// other types in the JSON library, so none of them can be taken for one that fits.
std::optional<std::uint64_t> whole_number(const ordered& value, std::uint64_t most) {
  if (!value.is_number_unsigned()) return std::nullopt;
  const auto n = value.get<std::uint64_t>();
  return n <= most ? std::optional(n) : std::nullopt;
}

/// Takes members out of one object. The first thing that is wrong stays in `refused`, and nothing is taken after it.
class object_reader {
 public:
  /// `inside` stands before the names of the members in messages: `metrics.`
  object_reader(const ordered& object, std::string_view inside, std::string& refused)
      : object_(object), inside_(inside), refused_(refused) {}

  const ordered* member(std::string_view key) {
    known_.push_back(key);
    if (!refused_.empty()) return nullptr;
    const auto found = object_.find(std::string(key));
    if (found == object_.end()) {
      refused_ = "the member " + shown(key) + " is missing";
      return nullptr;
    }
    return &*found;
  }

  void refuse(std::string_view key, const std::string& wanted, const ordered& value) {
    refused_ = shown(key) + " has to be " + wanted + ", not " + kind_of(value);
  }

  template <class Number>
  void take_number(std::string_view key, Number& out) {
    constexpr std::uint64_t most = std::numeric_limits<Number>::max();
    const ordered* const value = member(key);
    if (value == nullptr) return;
    if (const auto n = whole_number(*value, most)) {
      out = static_cast<Number>(*n);
    } else {
      refuse(key, "a whole number from 0 to " + std::to_string(most), *value);
    }
  }

  void take(std::string_view key, std::uint64_t& out) { take_number(key, out); }
  void take(std::string_view key, std::uint32_t& out) { take_number(key, out); }

  void take(std::string_view key, nanoseconds& out) {
    std::int64_t count = 0;
    take_number(key, count);
    out = nanoseconds(count);
  }

  void take(std::string_view key, std::optional<nanoseconds>& out) {
    const ordered* const value = member(key);
    if (value == nullptr || value->is_null()) return;
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    if (const auto n = whole_number(*value, most)) {
      out = nanoseconds(static_cast<std::int64_t>(*n));
    } else {
      refuse(key, "null or a whole number of nanoseconds from 0 to " + std::to_string(most), *value);
    }
  }

  void take(std::string_view key, std::string& out) {
    const ordered* const value = member(key);
    if (value == nullptr) return;
    if (value->is_string()) {
      out = value->get_ref<const std::string&>();
    } else {
      refuse(key, "text", *value);
    }
  }

  /// Refuses members that nothing was taken from.
  void finish() {
    for (auto it = object_.begin(); it != object_.end() && refused_.empty(); ++it) {
      if (std::find(known_.begin(), known_.end(), it.key()) != known_.end()) continue;
      refused_ = "unknown member " + shown(it.key()) + "; the nearest known name is " +
                 shown(nearest(it.key(), known_));
    }
  }

 private:
  [[nodiscard]] std::string shown(std::string_view key) const { return std::string(inside_) + std::string(key); }

  const ordered& object_;
  std::string_view inside_;
  std::string& refused_;
  std::vector<std::string_view> known_;
};

void take_state(object_reader& in, saved_state& s) {
  const ordered* const value = in.member("state");
  if (value == nullptr) return;
  if (value->is_string()) {
    for (const state known : {state::closed, state::open, state::half_open, state::forced_open, state::disabled}) {
      if (value->get_ref<const std::string&>() == to_string(known)) {
        s.state = known;
        return;
      }
    }
  }
  in.refuse("state", "closed, open, half_open, forced_open or disabled",
            value->is_string() ? ordered("text") : *value);
}

void take_buckets(object_reader& in, saved_state& s) {
  constexpr std::uint64_t any = std::numeric_limits<std::uint64_t>::max();
  const ordered* const value = in.member("buckets");
  if (value == nullptr) return;
  if (!value->is_array()) return in.refuse("buckets", "a list", *value);
  for (const ordered& bucket : *value) {
    std::vector<std::uint64_t> numbers;
    if (bucket.is_array() && bucket.size() == 4) {
      for (const ordered& number : bucket) {
        const std::uint64_t most = numbers.empty() ? std::numeric_limits<std::uint32_t>::max() : any;
        if (const auto n = whole_number(number, most)) numbers.push_back(*n);
      }
    }
    if (numbers.size() != 4) {
      return in.refuse("buckets", "a list of lists of four whole numbers: age, calls, failures, slow", bucket);
    }
    s.buckets.push_back({static_cast<std::uint32_t>(numbers[0]), numbers[1], numbers[2], numbers[3]});
  }
}

void take_metrics(object_reader& in, lifetime_metrics& m, std::string& refused) {
  const ordered* const value = in.member("metrics");
  if (value == nullptr) return;
  if (!value->is_object()) return in.refuse("metrics", "an object", *value);
  object_reader counters(*value, "metrics.", refused);
  counters.take("successes", m.successes);
  counters.take("failures", m.failures);
  counters.take("timeouts", m.timeouts);
  counters.take("ignored", m.ignored);
  counters.take("abandoned", m.abandoned);
  counters.take("slow_calls", m.slow_calls);
  counters.take("rejections", m.rejections);
  counters.take("would_reject", m.would_reject);
  counters.take("late_results", m.late_results);
  counters.take("expired_probes", m.expired_probes);
  counters.take("transitions", m.transitions);
  counters.finish();
}

/// The version comes first: what else a later one may hold is none of our business.
std::string wrong_version(const ordered& document) {
  const auto version = document.is_object() ? document.find(std::string(version_member)) : document.end();
  if (!document.is_object() || version == document.end()) return "not a saved state of switchgear";
  if (!version->is_number_unsigned()) {
    return std::string(version_member) + " has to be the number of a version, not " + kind_of(*version);
  }
  if (const auto n = version->get<std::uint64_t>(); n != saved_state::current_version) {
    return "version " + std::to_string(n) + ", this library reads version " +
           std::to_string(saved_state::current_version);
  }
  return {};
}

}  // namespace

read_state saved_state_from_json(std::string_view text) {
  const json_document document = parse_json(text, "saved state");
  if (!document.value) return {std::nullopt, document.problems.at(0).message};
  std::string refused = wrong_version(*document.value);
  if (!refused.empty()) return {std::nullopt, std::move(refused)};

  saved_state s;
  object_reader in(*document.value, "", refused);
  (void)in.member(version_member);
  take_state(in, s);
  in.take("generation", s.generation);
  in.take("remaining_open_ns", s.remaining_open);
  in.take("remaining_override_ns", s.remaining_override);
  in.take("override_owner", s.override_owner);
  in.take("override_reason", s.override_reason);
  in.take("attempt", s.attempt);
  in.take("since_last_closing_ns", s.since_last_closing);
  in.take("failure_count", s.failure_count);
  in.take("consecutive_failures", s.consecutive_failures);
  in.take("half_open_successes", s.half_open_successes);
  in.take("verdicts", s.verdicts);
  take_buckets(in, s);
  in.take("window_duration_ns", s.window_duration);
  in.take("window_size", s.window_size);
  take_metrics(in, s.metrics, refused);
  in.finish();
  if (refused.empty()) refused = validate(s);
  if (!refused.empty()) return {std::nullopt, std::move(refused)};
  return {std::move(s), {}};
}

}  // namespace switchgear::inline v1
