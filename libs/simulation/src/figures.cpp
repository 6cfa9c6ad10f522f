// SPDX-License-Identifier: Apache-2.0
#include "figures.hpp"

#include <algorithm>
#include <cmath>

namespace switchgear::inline v1::simulation {

void figures::trouble_begins(std::int64_t now, std::uint32_t) {
  if (in_trouble_) return;
  in_trouble_ = true;
  if (++troubles_ == 1) trouble_at_ = now;
}

void figures::trouble_ends(std::int64_t now) {
  in_trouble_ = false;
  revived_at_ = now;
  failed_after_ = 0;
}

void figures::asked(bool admitted) {
  ++calls_;
  admitted_ += admitted ? 1 : 0;
  ++now_.asked;
}

void figures::reached(const upstream::answer& a, bool in_trouble, bool probe) {
  ++now_.reached;
  now_.good += a.good && !in_trouble ? 1 : 0;
  if (in_trouble) {
    ++wasted_;
  } else if (!a.good && revived_at_ >= 0) {
    ++failed_after_;
  }
  if (!probe) return;
  ++probes_;
  probes_most_ = std::max(probes_most_, ++probes_now_);
  now_.probes = std::max(now_.probes, probes_now_);
}

void figures::one_knows(std::int64_t now, std::uint32_t present) {
  ++know_;
  if (first_ < 0) first_ = now;
  if (half_ < 0 && 2 * know_ >= present) half_ = now;
  if (most_ < 0 && 100 * know_ >= 99 * present) most_ = now;
}

void figures::end_part(double capacity) {
  now_.capacity = (capacity_before_ < 0 ? capacity : (capacity + capacity_before_) / 2) * static_cast<double>(part) * 1e-9;
  capacity_before_ = capacity;
  now_.open = static_cast<std::uint32_t>(std::max<std::int64_t>(0, open_now_));
  parts_.push_back(now_);
  now_ = {};
  now_.probes = probes_now_;
}

void figures::put_into(report& r) const {
  using std::chrono::nanoseconds;
  const auto since_trouble = [&](std::int64_t at) {
    return at < 0 ? std::optional<nanoseconds>() : nanoseconds(at - trouble_at_);
  };
  r.first_knows = since_trouble(first_);
  r.half_know = since_trouble(half_);
  r.most_know = since_trouble(most_);
  r.calls = calls_;
  r.admitted = admitted_;
  r.rejected = calls_ - admitted_;
  r.wasted = wasted_;
  r.probes = probes_;
  r.probes_at_once = probes_most_;
  r.failed_after = revived_at_ < 0 ? 0 : failed_after_;
  r.trouble_at = nanoseconds(std::max<std::int64_t>(0, trouble_at_));
  r.revived_at = nanoseconds(std::max<std::int64_t>(0, revived_at_));

  if (revived_at_ >= 0) {
    constexpr std::size_t lasting = 20;  // parts: what holds for ten seconds counts
    const auto first = static_cast<std::size_t>(revived_at_ / part);
    std::size_t good = 0;
    for (std::size_t i = first; i < parts_.size(); ++i) {
      const bucket& b = parts_[i];
      // In the part in which it came back it was there for a while only; one that falls over is compared with the least it has.
      if (b.capacity > 0 && i > first) r.overshoot = std::max(r.overshoot, b.reached / b.capacity);
      good = 20 * b.good >= 19 * b.asked ? good + 1 : 0;
      if (good == lasting && !r.full_service) {
        r.full_service = nanoseconds(std::max<std::int64_t>(0, static_cast<std::int64_t>(i + 1 - lasting) * part - revived_at_));
      }
    }
  }

  constexpr std::size_t most_samples = 300;
  const std::size_t together = std::max<std::size_t>(1, (parts_.size() + most_samples - 1) / most_samples);
  r.sample_length = nanoseconds(part * static_cast<std::int64_t>(together));
  const double seconds = static_cast<double>(r.sample_length.count()) * 1e-9;
  for (std::size_t i = 0; i + together <= parts_.size(); i += together) {
    sample s;
    for (std::size_t j = i; j < i + together; ++j) {
      s.load += parts_[j].reached;
      s.good += parts_[j].good;
      s.capacity += parts_[j].capacity;
      s.probes = std::max(s.probes, parts_[j].probes);
      s.open = parts_[j].open;
    }
    s.load /= seconds;
    s.good /= seconds;
    s.capacity /= seconds;
    r.samples.push_back(s);
  }
}

}  // namespace switchgear::inline v1::simulation
