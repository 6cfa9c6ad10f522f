// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "front.hpp"
#include "options.hpp"
#include "token.hpp"

#include <initializer_list>
#include <list>
#include <memory>
#include <string_view>
#include <utility>

namespace switchgear::inline v1::detail {

class connection;

/// What the connections of one server share. Lives in the server's thread.
struct web_service {
  web_service(web_options o, web_handler& h)
      : options(std::move(o)), front(options.access, options.find), handler(h) {}

  const web_options options;
  web_front front;
  web_handler& handler;
  web_counters counters;
  /// Those that wait for nothing but a next request, the one that has waited longest first; and the others.
  std::list<std::shared_ptr<connection>> idle;
  std::list<std::shared_ptr<connection>> busy;

  /// Tells one line, made of these; at most a few each second, so that nobody fills a log from outside.
  void notice(std::initializer_list<std::string_view> parts) noexcept;

 private:
  rate_budget notices_{20};
};

}  // namespace switchgear::inline v1::detail
