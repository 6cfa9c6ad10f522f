// SPDX-License-Identifier: Apache-2.0
#include "token.hpp"

#include <algorithm>

namespace switchgear::inline v1::detail {

secret_token::secret_token(std::string_view secret) noexcept : size_(secret.size()) {
  std::copy_n(secret.begin(), std::min(secret.size(), bytes_.size()), bytes_.begin());
}

bool secret_token::equals(std::string_view given) const noexcept {
  std::array<unsigned char, longest_token> padded{};
  std::copy_n(given.begin(), std::min(given.size(), padded.size()), padded.begin());
  // Written to a volatile at each step, so that no compiler makes it a comparison that ends at the first difference.
  volatile std::size_t differs = (size_ ^ given.size()) | (size_ == 0 ? 1 : 0);
  for (std::size_t i = 0; i < padded.size(); ++i) differs = differs | static_cast<std::size_t>(bytes_[i] ^ padded[i]);
  return differs == 0;
}

bool rate_budget::take(time_point now) noexcept {
  if (now > last_) {
    left_ = std::min(burst_, left_ + burst_ * std::chrono::duration<double>(now - last_).count());
    last_ = now;
  }
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

}  // namespace switchgear::inline v1::detail
