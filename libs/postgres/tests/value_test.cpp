// SPDX-License-Identifier: Apache-2.0
#include <switchgear/postgres/value.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace {

namespace pg = switchgear::postgres;
using form = pg::value::form;

TEST(postgres_values, are_written_as_the_server_reads_them) {
  EXPECT_EQ(pg::value(-42).data(), "-42");
  EXPECT_EQ(pg::value(std::numeric_limits<std::uint64_t>::max()).data(), "18446744073709551615");
  EXPECT_EQ(pg::value(true).data(), "t");
  EXPECT_EQ(pg::value(0.1).data(), "0.1");
  EXPECT_EQ(pg::value(-std::numeric_limits<double>::infinity()).data(), "-Infinity");
  EXPECT_EQ(pg::value(std::numeric_limits<float>::quiet_NaN()).data(), "NaN");
  EXPECT_EQ(pg::value("text").data(), "text");
}

TEST(postgres_values, are_null_in_many_ways) {
  EXPECT_EQ(pg::value().is(), form::null);
  EXPECT_EQ(pg::value(nullptr).is(), form::null);
  EXPECT_EQ(pg::value(std::nullopt).is(), form::null);
  EXPECT_EQ(pg::value(static_cast<const char*>(nullptr)).is(), form::null);
  EXPECT_EQ(pg::value(std::optional<int>()).is(), form::null);
  EXPECT_EQ(pg::value(std::optional<int>(7)).data(), "7");
}

TEST(postgres_values, tell_empty_from_null) {
  EXPECT_EQ(pg::value("").is(), form::text);
  EXPECT_EQ(pg::value(pg::bytes{}).is(), form::binary);
}

TEST(postgres_values, keep_every_byte) {
  const pg::bytes data{std::byte{0}, std::byte{255}, std::byte{0}};
  EXPECT_EQ(pg::value(data).data(), std::string("\0\xff\0", 3));
}

}  // namespace
