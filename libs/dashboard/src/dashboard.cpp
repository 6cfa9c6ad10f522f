// SPDX-License-Identifier: Apache-2.0
#include <switchgear/dashboard.hpp>

#include "api.hpp"
#include "assets.hpp"
#include "web/server.hpp"

#include <switchgear/detail/validation.hpp>
#include <switchgear/registry_source.hpp>

#include <boost/asio/ip/address.hpp>

#include <utility>

namespace switchgear::inline v1 {
namespace {

namespace ip = boost::asio::ip;

std::shared_ptr<circuit_source> given(std::shared_ptr<circuit_source> circuits) {
  if (!circuits) throw config_error({{.key = "circuits", .value = "", .allowed = "", .message = "the source is null"}});
  return circuits;
}

const dashboard_options& good(const dashboard_options& options) {
  detail::require_no(options.validate());
  return options;
}

detail::web_options web_options_of(const dashboard_options& o) {
  return {.access = {.listen = *detail::read_listen_address(o.listen),
                     .token = o.token,
                     .read_only = o.read_only,
                     .hosts = o.hosts},
          .find = detail::find_asset,
          .max_connections = o.max_connections,
          .client_timeout = o.client_timeout,
          .on_notice = o.on_notice};
}

/// Where a browser of this host finds it: "any address" is none to go to.
detail::listen_address reachable(detail::listen_address at) {
  if (!at.address.is_unspecified()) return at;
  if (at.address.is_v4()) {
    at.address = ip::address_v4::loopback();
  } else {
    at.address = ip::address_v6::loopback();
  }
  return at;
}

std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                       c == '.' || c == '~';
    if (plain) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return result;
}

}  // namespace

struct dashboard::parts {
  parts(std::shared_ptr<circuit_source> circuits, const dashboard_options& options)
      : api(given(std::move(circuits)), good(options)), server(web_options_of(options), api), token(options.token) {
    server.start(options.refresh, [this] { api.refresh(); });
  }

  detail::api api;
  detail::web_server server;  // ends before what it asks
  const std::string token;
};

dashboard::dashboard(registry& circuits, dashboard_options options)
    : dashboard(std::make_shared<registry_source>(circuits), std::move(options)) {}

dashboard::dashboard(std::shared_ptr<circuit_source> circuits, dashboard_options options)
    : parts_(std::make_unique<parts>(std::move(circuits), options)) {}

dashboard::~dashboard() = default;

std::uint16_t dashboard::port() const noexcept { return parts_->server.where().port; }

std::string dashboard::url() const { return "http://" + to_string(reachable(parts_->server.where())) + "/"; }

std::string dashboard::url_with_token() const {
  return parts_->token.empty() ? url() : url() + "#token=" + escaped(parts_->token);
}

dashboard_metrics dashboard::metrics() const {
  const detail::web_counters& c = parts_->server.counters();
  return {.requests = c.requests,
          .refused = c.refused,
          .connections = c.connections,
          .turned_away = c.turned_away,
          .slow_clients = c.slow_clients,
          .actions = parts_->api.actions(),
          .open_connections = c.open_connections,
          .watching = c.watching};
}

}  // namespace switchgear::inline v1
