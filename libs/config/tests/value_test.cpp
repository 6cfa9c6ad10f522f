// SPDX-License-Identifier: Apache-2.0
#include "switchgear/config/value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace {

namespace sg = switchgear;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using testing::HasSubstr;

nanoseconds duration(std::string_view text) {
  const auto r = sg::parse_duration(text);
  EXPECT_TRUE(r) << text << ": " << r.error;
  return r.value.value_or(-1ns);
}

TEST(duration_text, is_one_number_and_one_unit) {
  EXPECT_EQ(duration("7ns"), 7ns);
  EXPECT_EQ(duration("7us"), 7us);
  EXPECT_EQ(duration("500ms"), 500ms);
  EXPECT_EQ(duration("30s"), 30s);
  EXPECT_EQ(duration("1.5m"), 90s);
  EXPECT_EQ(duration("1h"), 1h);
  EXPECT_EQ(duration("0s"), 0ns);
}

TEST(duration_text, is_seconds_without_a_unit) {
  EXPECT_EQ(duration("60"), 60s);
  EXPECT_EQ(duration("30.0"), 30s);
  EXPECT_EQ(duration("0.25"), 250ms);
  EXPECT_EQ(duration("0"), 0ns);
}

TEST(duration_text, is_exact_to_the_nanosecond) {
  EXPECT_EQ(duration("0.1s"), 100'000'000ns);
  EXPECT_EQ(duration("1.000000001s"), 1'000'000'001ns);
  EXPECT_EQ(duration("0.0000000001h"), 360ns);
  EXPECT_EQ(duration("9223372036.854775807s"), nanoseconds::max());
  EXPECT_EQ(duration("0009.90000000000000000000000000s"), 9900ms)
      << "zeros that mean nothing do not count as precision";
}

TEST(duration_text, refuses_what_is_finer_than_a_nanosecond) {
  for (const char* bad :
       {"0.5ns", "1.0000000001s", "0.0000000001s", "0.0000000000001h", "1.00000000000000000000000001h"}) {
    const auto r = sg::parse_duration(bad);
    EXPECT_FALSE(r) << bad;
    EXPECT_THAT(r.error, HasSubstr("finer than a nanosecond"));
  }
}

TEST(duration_text, refuses_a_negative_number) {
  for (const char* bad : {"-1s", "-0s", "-5", "-0.1ms"}) {
    const auto r = sg::parse_duration(bad);
    EXPECT_FALSE(r) << bad;
    EXPECT_THAT(r.error, HasSubstr("negative"));
  }
}

TEST(duration_text, refuses_what_cannot_be_held) {
  for (const char* bad : {"9223372036.854775808s", "9999999999999999999h", "99999999999999999999s",
                          "100000000000000000000000000000000000000000"}) {
    const auto r = sg::parse_duration(bad);
    EXPECT_FALSE(r) << bad;
    EXPECT_THAT(r.error, HasSubstr("too long"));
  }
}

TEST(duration_text, refuses_everything_else_without_repeating_it) {
  for (const char* bad :
       {"",   " 1s",  "1s ", "1 s",   "1e3s", "1e3",  "s",   "ms",  ".5s",  "5.s", "5.",   "1.2.3s", "+1s",
        "1S", "1sec", "1d",  "1m30s", "0x10", "1,5s", "inf", "nan", "--1s", "1µs", "1s\n", "secret"}) {
    const auto r = sg::parse_duration(bad);
    EXPECT_FALSE(r) << bad;
    EXPECT_FALSE(r.error.empty());
    EXPECT_EQ(r.error.find("secret"), std::string::npos);
  }
}

TEST(duration_text, reads_back_whatever_is_written) {
  std::mt19937_64 random(20240101);
  for (int i = 0; i < 20'000; ++i) {
    // All magnitudes, and often a round number in some unit.
    std::int64_t n = static_cast<std::int64_t>(random() >> (1 + random() % 63));
    if (i % 3 == 0 && n < 1'000'000) n *= 1'000'000'000;
    if (i % 3 == 1 && n < 100'000) n *= 60'000'000'000;
    const std::string text = sg::format_duration(nanoseconds(n));
    EXPECT_EQ(duration(text), nanoseconds(n)) << text;
  }
}

TEST(window_text, is_calls_as_a_plain_number_and_a_duration_with_a_unit) {
  EXPECT_EQ(sg::parse_window("100").value, sg::calls(100));
  EXPECT_EQ(sg::parse_window("-3").value, sg::calls(-3))
      << "the range is judged later, with the value that was written";
  EXPECT_EQ(sg::parse_window("60s").value, sg::last(60s));
  EXPECT_EQ(sg::parse_window("1.5m").value, sg::last(90s));
  EXPECT_EQ(sg::parse_window("0s").value, sg::last(0s));
}

TEST(window_text, is_never_seconds_without_a_unit) {
  EXPECT_THAT(sg::parse_window("1.5").error, HasSubstr("calls"));
  EXPECT_FALSE(sg::parse_window("100.0"));
  EXPECT_FALSE(sg::parse_window("-60s"));
  EXPECT_FALSE(sg::parse_window(""));
  EXPECT_FALSE(sg::parse_window("100 calls"));
  EXPECT_FALSE(sg::parse_window("99999999999999999999"));
}

TEST(typed_value, keeps_the_types_of_its_format) {
  using raw = sg::raw_value;
  EXPECT_EQ(sg::read_count(raw::integer(std::int64_t{7})).value, 7);
  EXPECT_FALSE(sg::read_count(raw::real(7.0)));
  EXPECT_FALSE(sg::read_count(raw::text("7")));
  EXPECT_FALSE(sg::read_count(raw::boolean(true)));
  EXPECT_FALSE(sg::read_count(raw::other("null")));
  EXPECT_EQ(sg::read_number(raw::integer(std::int64_t{1})).value, 1.0);
  EXPECT_EQ(sg::read_number(raw::real(0.3)).value, 0.3);
  EXPECT_FALSE(sg::read_number(raw::text("0.3")));
  EXPECT_EQ(sg::read_bool(raw::boolean(false)).value, false);
  EXPECT_FALSE(sg::read_bool(raw::text("true")));
  EXPECT_FALSE(sg::read_bool(raw::integer(std::int64_t{1})));
  EXPECT_FALSE(sg::read_duration(raw::boolean(true)));
  EXPECT_FALSE(sg::read_window(raw::real(100.0)));
  EXPECT_EQ(sg::read_window(raw::text("100")).value, sg::calls(100));
}

TEST(typed_value, says_what_it_has_to_be_and_what_it_is) {
  EXPECT_EQ(sg::read_count(sg::raw_value::text("7")).error, "has to be a whole number, not text");
  EXPECT_EQ(sg::read_bool(sg::raw_value::other("a list")).error, "has to be true or false, not a list");
}

TEST(typed_value, of_a_count_may_be_too_large_for_any_machine_number) {
  EXPECT_EQ(sg::read_count(sg::raw_value::integer(std::uint64_t{18446744073709551615U})).error, "out of range");
}

TEST(untyped_value, is_read_as_what_the_key_takes) {
  const auto text = [](std::string_view t) { return sg::raw_value::untyped(t); };
  EXPECT_EQ(sg::read_count(text("12")).value, 12);
  EXPECT_EQ(sg::read_number(text("0.25")).value, 0.25);
  EXPECT_EQ(sg::read_number(text("-1")).value, -1.0);
  EXPECT_EQ(sg::read_bool(text("true")).value, true);
  EXPECT_EQ(sg::read_duration(text("90")).value, 90s);
  for (const char* bad : {"", "1.5", "1e3", "0x1", "12 ", "+1", "one"}) EXPECT_FALSE(sg::read_count(text(bad))) << bad;
  for (const char* bad : {"", "nan", "inf", "1e-3", "0x1p3", ".5", "5.", "50%", "0,5"}) {
    EXPECT_FALSE(sg::read_number(text(bad))) << bad;
  }
  for (const char* bad : {"", "True", "1", "yes"}) EXPECT_FALSE(sg::read_bool(text(bad))) << bad;
}

TEST(a_number_of_seconds, is_the_decimal_that_was_written) {
  const auto seconds = [](double v) { return sg::read_duration(sg::raw_value::real(v)); };
  EXPECT_EQ(seconds(0.1).value, 100ms);
  EXPECT_EQ(seconds(0.3).value, 300ms);
  EXPECT_EQ(seconds(1e-9).value, 1ns);
  EXPECT_EQ(seconds(1e9).value, 1'000'000'000s);
  EXPECT_EQ(seconds(0.1 + 0.2).value, 300ms) << "the last digits of a computed number are rounded away";
  EXPECT_EQ(seconds(0.0).value, 0ns);
}

TEST(a_number_of_seconds, is_never_rounded_to_zero_nor_negative_nor_endless) {
  const auto seconds = [](double v) { return sg::read_duration(sg::raw_value::real(v)); };
  for (const double bad : {1e-10, 5e-324, -0.1, 1e300, std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_FALSE(seconds(bad)) << bad;
  }
}

}  // namespace
