// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/http/message.hpp>

#include <string>
#include <string_view>

namespace switchgear::inline v1::http::detail {

/// Header names are ASCII and have no case; the locale must not have a say.
[[nodiscard]] bool same_name(std::string_view a, std::string_view b) noexcept;

[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// What is wrong with a request before it goes out, or nothing: method, headers, body. Names no value.
[[nodiscard]] std::string problem_of(const request& r);

}  // namespace switchgear::inline v1::http::detail
