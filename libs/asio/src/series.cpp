// SPDX-License-Identifier: Apache-2.0
#include <switchgear/asio/detail/series.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

namespace switchgear::inline v1::asio::detail {

bool is_series(const boost::asio::any_io_executor& e) noexcept {
  using boost::asio::strand;
  return e.target<strand<boost::asio::any_io_executor>>() != nullptr ||
         e.target<strand<boost::asio::io_context::executor_type>>() != nullptr ||
         e.target<strand<boost::asio::thread_pool::executor_type>>() != nullptr;
}

boost::asio::any_io_executor make_series(const boost::asio::any_io_executor& e) { return boost::asio::make_strand(e); }

}  // namespace switchgear::inline v1::asio::detail
