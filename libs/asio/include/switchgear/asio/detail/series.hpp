// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>

namespace switchgear::inline v1::asio::detail {

/// Whether what runs on this executor runs one after the other, as far as that can be seen: it is a strand.
[[nodiscard]] bool is_series(const boost::asio::any_io_executor& e) noexcept;

/// A strand of its own on this executor.
[[nodiscard]] boost::asio::any_io_executor make_series(const boost::asio::any_io_executor& e);

}  // namespace switchgear::inline v1::asio::detail
