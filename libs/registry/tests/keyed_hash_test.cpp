// SPDX-License-Identifier: Apache-2.0
#include "keyed_hash.hpp"

#include "name_table.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace {

namespace detail = switchgear::detail;

constexpr detail::hash_key reference_key{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::string first_bytes(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += static_cast<char>(i);
  return out;
}

TEST(sip_hash, is_that_of_the_paper) {
  // Appendix A of the paper, and the first of the reference implementation's vectors.
  EXPECT_EQ((detail::sip_hash<2, 4>::of(first_bytes(15), reference_key)), 0xa129ca6149be45e5);
  EXPECT_EQ((detail::sip_hash<2, 4>::of("", reference_key)), 0x726fdb47dd0e0e31);
}

TEST(sip_hash, has_the_wide_variant_of_the_reference_implementation) {
  const auto hash = detail::sip_hash<2, 4>::wide("", reference_key);
  EXPECT_EQ(hash[0], 0xe6a825ba047f81a3);
  EXPECT_EQ(hash[1], 0x930255c71472f66d);
}

TEST(name_hash, hangs_on_the_key) {
  EXPECT_NE(detail::name_hash({1, 2})("payments"), detail::name_hash({1, 4})("payments"));
  EXPECT_NE(detail::name_hash({1, 2})("payments"), detail::name_hash({2, 2})("payments"));
  EXPECT_NE(detail::random_hash_key().low, detail::random_hash_key().low);
}

TEST(name_hash, sees_every_byte_at_every_length) {
  const detail::name_hash hash(detail::random_hash_key());
  for (std::size_t size = 1; size <= 200; ++size) {
    std::set<std::uint64_t> seen{hash(std::string(size, 'x')), hash(std::string(size - 1, 'x'))};
    for (std::size_t at = 0; at < size; ++at) {
      std::string changed(size, 'x');
      changed[at] = 'y';
      seen.insert(hash(changed));
    }
    EXPECT_EQ(seen.size(), size + 2) << size;
  }
}

TEST(name_hash, spreads_names_that_are_alike) {
  const detail::name_hash hash(detail::random_hash_key());
  std::vector<int> homes(1024), tags(256);
  for (int i = 0; i < 1024 * 64; ++i) {
    const std::uint64_t h = hash("tenant." + std::to_string(i));
    ++homes[h % 1024];
    ++tags[h >> 56];
  }
  // 64 and 256 on the average; eight standard deviations away is no accident.
  for (const int n : homes) EXPECT_NEAR(n, 64, 64);
  for (const int n : tags) EXPECT_NEAR(n, 256, 128);
}

TEST(same_bytes, compares_every_byte_at_every_length) {
  for (std::size_t size = 0; size <= 48; ++size) {
    const std::string a(size, 'x');
    EXPECT_TRUE(detail::same_bytes(a.data(), std::string(a).data(), size));
    for (std::size_t at = 0; at < size; ++at) {
      std::string b = a;
      b[at] = 'y';
      EXPECT_FALSE(detail::same_bytes(a.data(), b.data(), size)) << size << " " << at;
    }
  }
}

}  // namespace
