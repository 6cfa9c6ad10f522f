// SPDX-License-Identifier: Apache-2.0
#include <switchgear/open_bus.hpp>

#include <switchgear/bus_url.hpp>
#include <switchgear/errors.hpp>
#include <switchgear/kafka_bus.hpp>
#include <switchgear/local_bus.hpp>
#include <switchgear/redis_bus.hpp>

namespace switchgear::inline v1 {

std::unique_ptr<event_bus> open_bus(std::string_view url, const event_bus_options& options) {
  const bus_url name = parse_bus_url(url);
  if (name.scheme == "local") {
    if (!name.hosts.empty() || !name.path.empty() || !name.query.empty() || !name.user.empty()) {
      throw config_error({{"bus", without_secrets(name), "local:", "the local bus has neither host nor options"}});
    }
    return std::make_unique<local_bus>(options);
  }
  if (name.scheme == "redis" || name.scheme == "rediss") {
    redis_bus_options o = redis_bus_options_of(name);
    o.queues = options;
    return std::make_unique<redis_bus>(std::move(o));
  }
  if (name.scheme == "kafka") {
    kafka_bus_options o = kafka_bus_options_of(name);
    o.queues = options;
    return std::make_unique<kafka_bus>(std::move(o));
  }
  throw config_error({{"bus", without_secrets(name), "local:, redis://host:port/db, kafka://host:port/topic",
                       "there is no bus of this kind"}});
}

}  // namespace switchgear::inline v1
