// SPDX-License-Identifier: Apache-2.0
#include <switchgear/config/keys.hpp>
#include <switchgear/detail/dispatcher.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/redis_bus.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace switchgear::inline v1 {
namespace {

using namespace std::chrono_literals;

void append(std::vector<problem>& all, std::vector<problem> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::vector<problem> redis_bus_options::validate() const {
  std::vector<problem> all = server.validate();
  detail::validation v;
  v.expect(detail::is_plain_name(fleet), "fleet", fleet, "at most 64 letters, digits, '.', '_' and '-'", "not a name of a fleet");
  v.in_range("stream_length", stream_length, 1, 10'000'000);
  v.in_range("heartbeat", heartbeat, 1ms, 1h);
  v.in_range("lifetime", lifetime, 2ms, 24h);
  v.expect(lifetime >= 2 * std::min<std::chrono::nanoseconds>(heartbeat, 24h), "lifetime", format_duration(lifetime),
           "at least twice the heartbeat", "would end between two heartbeats");
  v.in_range("close_timeout", close_timeout, 0ns, 1h);
  append(all, v.take());
  append(all, reconnect.validate());
  append(all, breaker.validate());
  return all;
}

redis_bus_options redis_bus_options_of(const bus_url& url) {
  static constexpr std::array<std::string_view, 1> known{"fleet"};
  redis_bus_options o;
  o.server = redis::options_of(url);
  detail::validation v;
  for (const auto& [key, value] : url.query) {
    if (key == "fleet") {
      v.expect(!value.empty() && detail::is_plain_name(value), "fleet", value, "at most 64 letters, digits, '.', '_' and '-'",
               "not a name of a fleet");
      o.fleet = value;
    } else {
      // Not with its value, which may be a password in the wrong place.
      v.expect(false, key, "", "", "unknown; the nearest known name is " + std::string(nearest(key, known)));
    }
  }
  detail::require_no(v.take());
  return o;
}

}  // namespace switchgear::inline v1
