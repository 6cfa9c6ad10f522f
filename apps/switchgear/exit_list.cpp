// SPDX-License-Identifier: Apache-2.0
#include "exit_list.hpp"

#include <charconv>
#include <optional>
#include <string>

#include "command.hpp"

namespace {

std::optional<unsigned> status_in(std::string_view text) {
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value > 255) return std::nullopt;
  return value;
}

}  // namespace

exit_list::exit_list(std::string_view text, std::string_view option) {
  std::string_view rest = text;
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    more = comma != std::string_view::npos;
    const std::string_view part = rest.substr(0, comma);
    rest = more ? rest.substr(comma + 1) : std::string_view{};
    const std::size_t dash = part.find('-');
    const auto first = status_in(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : status_in(part.substr(dash + 1));
    if (!first || !last || *first > *last) {
      throw usage_error(std::string(option) + " \"" + std::string(text) + "\": \"" + std::string(part) +
                        "\" is no exit status and no range of them (allowed: 0 … 255, as in 1,2,64-78)");
    }
    for (unsigned s = *first; s <= *last; ++s) statuses_.set(s);
  }
}
