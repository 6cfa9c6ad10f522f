// SPDX-License-Identifier: Apache-2.0
#include <switchgear/asio/detail/errors.hpp>
#include <switchgear/errors.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace switchgear::inline v1::asio::detail {
namespace {

template <class E>
bool is_a(const std::exception_ptr& e) noexcept {
  try {
    if (e) std::rethrow_exception(e);
  } catch (const E&) {
    return true;
  } catch (...) {
  }
  return false;
}

}  // namespace

std::exception_ptr aborted_error(const std::exception_ptr& cause) {
  const boost::system::system_error error(boost::asio::error::operation_aborted);
  if (!cause) return std::make_exception_ptr(error);
  try {
    try {
      std::rethrow_exception(cause);
    } catch (...) {
      std::throw_with_nested(error);
    }
  } catch (...) {
    return std::current_exception();
  }
}

bool is_rejection(const std::exception_ptr& e) noexcept { return is_a<rejected_error>(e); }
bool is_cancellation(const std::exception_ptr& e) noexcept { return is_a<cancelled_error>(e); }
bool is_call_timeout(const std::exception_ptr& e) noexcept { return is_a<call_timeout_error>(e); }

const std::stop_token& stopped() noexcept {
  static const std::stop_token token = [] {
    std::stop_source source;
    source.request_stop();
    return source.get_token();
  }();
  return token;
}

}  // namespace switchgear::inline v1::asio::detail
