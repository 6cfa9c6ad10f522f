// SPDX-License-Identifier: Apache-2.0
#include "checked_words.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace switchgear::host::tests {
namespace {

struct four {
  std::uint64_t is[4];
};

TEST(checked_words, that_were_never_written_are_not_whole) {
  checked_words<4> w{};
  four out{};
  EXPECT_FALSE(w.read(out));
}

TEST(checked_words, come_back_as_they_were_written_under_the_same_key) {
  checked_words<4> w{};
  w.write(four{{1, 2, 3, 4}}, 7);
  four out{};
  ASSERT_TRUE(w.read(out, 7));
  EXPECT_EQ(out.is[3], 4u);
  EXPECT_FALSE(w.read(out, 8));
}

TEST(checked_words, of_a_writer_that_died_after_any_of_its_stores_are_not_whole) {
  for (int done = 0; done < 5; ++done) {
    checked_words<4> w{};
    w.write(four{{1, 2, 3, 4}});
    checked_words<4> next{};
    next.write(four{{5, 6, 7, 8}});
    w.check.store(0);
    for (int i = 0; i < done && i < 4; ++i) w.words[i].store(next.words[i].load());
    four out{};
    EXPECT_FALSE(w.read(out)) << done;
  }
}

TEST(checked_words, notice_a_change_of_any_one_bit) {
  checked_words<4> w{};
  w.write(four{{1, 2, 3, 4}});
  four out{};
  for (int word = 0; word < 4; ++word) {
    for (int bit = 0; bit < 64; ++bit) {
      w.words[word].fetch_xor(std::uint64_t{1} << bit);
      EXPECT_FALSE(w.read(out));
      w.words[word].fetch_xor(std::uint64_t{1} << bit);
    }
  }
  EXPECT_TRUE(w.read(out));
}

TEST(checked_words, of_many_writers_at_once_are_never_a_mixture) {
  const auto w = std::make_unique<checked_words<4>>();
  std::atomic<bool> end{false};
  std::vector<std::thread> writers;
  for (std::uint64_t t = 1; t <= 3; ++t) {
    writers.emplace_back([&, t] {
      for (std::uint64_t i = 0; !end; ++i) w->write(four{{t, i, t ^ i, t + i}});
    });
  }
  int whole = 0;
  for (int i = 0; i < 200'000 || (whole == 0 && i < 20'000'000); ++i) {
    four out{};
    if (!w->read(out)) continue;
    ++whole;
    ASSERT_EQ(out.is[2], out.is[0] ^ out.is[1]);
    ASSERT_EQ(out.is[3], out.is[0] + out.is[1]);
  }
  end = true;
  for (auto& t : writers) t.join();
  EXPECT_GT(whole, 0);
}

TEST(text_pair, keeps_the_text_of_before_when_a_writer_dies_half_way) {
  text_pair<four> t{};
  four out{};
  EXPECT_FALSE(t.read(out));
  for (std::uint64_t n = 1; n <= 5; ++n) t.write(four{{n, n, n, n}});
  ASSERT_TRUE(t.read(out));
  EXPECT_EQ(out.is[0], 5u);
  t.places[1].check.store(0);  // the next would have gone there
  ASSERT_TRUE(t.read(out));
  EXPECT_EQ(out.is[0], 5u);
  t.write(four{{6, 6, 6, 6}});
  t.write(four{{7, 7, 7, 7}});
  ASSERT_TRUE(t.read(out));
  EXPECT_EQ(out.is[0], 7u);
  t.places[0].check.store(0);
  t.places[1].check.store(0);
  EXPECT_FALSE(t.read(out));
  t.write(four{{8, 8, 8, 8}});
  ASSERT_TRUE(t.read(out));
  EXPECT_EQ(out.is[0], 8u);
}

}  // namespace
}  // namespace switchgear::host::tests
