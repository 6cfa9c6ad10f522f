// SPDX-License-Identifier: Apache-2.0
#include <switchgear/bus_url.hpp>
#include <switchgear/detail/dispatcher.hpp>
#include <switchgear/detail/validation.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/fleet/options.hpp>
#include <switchgear/redis/options.hpp>

#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

namespace switchgear::inline v1::fleet {
namespace {

using namespace std::chrono_literals;

std::vector<problem> problems_of_url(const std::string& url) {
  try {
    return redis::options_of(parse_bus_url(url)).validate();
  } catch (const config_error& e) {
    return e.problems();
  }
}

}  // namespace

std::vector<problem> options::validate() const {
  std::vector<problem> all = problems_of_url(url);
  switchgear::detail::validation v;
  v.expect(!name.empty() && switchgear::detail::is_plain_name(name), "name", name, "1 … 64 letters, digits, '.', '_' and '-'",
           "not a name of a fleet");
  v.expect(instance.empty() || (instance.size() <= 100 && !validate_name(instance)), "instance", instance,
           "up to 100 bytes of UTF-8 without control characters", "not a name of an instance");
  v.expect(opening <= sharing::evidence, "opening", std::to_string(static_cast<int>(opening)), "local, any, quorum or evidence",
           "unknown");
  v.in_range("quorum", quorum, 0, 1'000'000);
  v.in_range("quorum_share", quorum_share, 0, 1);
  v.expect(opening != sharing::quorum || quorum > 0 || quorum_share > 0, "quorum", "0", "1 … 1000000 without a quorum_share",
           "no number of instances would open a circuit");
  v.in_range("quorum_within", quorum_within, 1ms, 24h);
  v.expect(ramp.size() <= 100, "ramp", std::to_string(ramp.size()) + " steps", "up to 100 steps", "too long");
  for (const ramp_step& s : ramp) {
    const bool good = s.share >= 1e-6 && s.share < 1;  // so that NaN is refused
    v.expect(good, "ramp", std::to_string(s.share), "above 0 (0.000001 at least), below 1", "not a share of the calls");
    v.in_range("ramp", s.lasts, 1ns, 24h);
  }
  v.in_range("exchange_every", exchange_every, 10ms, 1h);
  v.in_range("patience", patience, 1ms, 1min);
  v.in_range("reconnect_max", reconnect_max, 1ms, 1h);
  v.in_range("use_within", use_within, 1ms, 1min);
  v.in_range("keep", keep, 1min, 24h * 365);
  v.in_range("adopt_within", adopt_within, 0ns, 1min);
  std::vector<problem> more = v.take();
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return all;
}

}  // namespace switchgear::inline v1::fleet
