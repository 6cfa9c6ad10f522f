// SPDX-License-Identifier: Apache-2.0
#include "evidence.hpp"

#include <switchgear/redis/client.hpp>

#include <algorithm>
#include <array>

namespace switchgear::inline v1::redis {
namespace {

// The table of rules().
constexpr std::array<std::string_view, 11> codes{
    "LOADING", "BUSY",     "MASTERDOWN", "READONLY",  "CLUSTERDOWN", "TRYAGAIN",
    "OOM",     "MISCONF",  "NOREPLICAS", "UNBLOCKED", "IOERR",
};

bool is_evidence(const reply& r) noexcept {
  if (!r.is_error()) return false;
  const std::string_view text = r.text;
  return detail::is_evidence(text.substr(0, text.find(' ')), text);
}

std::optional<verdict> failure_if(bool evidence) {
  if (evidence) return verdict::failure;
  return std::nullopt;
}

}  // namespace

bool detail::is_evidence(std::string_view code, std::string_view text) noexcept {
  return std::find(codes.begin(), codes.end(), code) != codes.end() || text.starts_with("ERR max number of clients");
}

classifier rules() {
  return classifier{}
      .judge_exception<io_timeout>([](const io_timeout&) { return verdict::timeout; })
      .fail<io_error>()
      .judge_exception<server_error>([](const server_error& e) {
        return detail::is_evidence(e.code(), e.what()) ? verdict::failure : verdict::ignored;
      })
      .ignore<refused_error>()
      .ignore<config_error>()
      .judge_value<reply>([](const reply& r) { return failure_if(is_evidence(r)); })
      .judge_value<std::vector<reply>>([](const std::vector<reply>& all) {
        return failure_if(std::any_of(all.begin(), all.end(), [](const reply& r) { return is_evidence(r); }));
      });
}

}  // namespace switchgear::inline v1::redis
