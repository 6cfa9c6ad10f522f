// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace switchgear::inline v1::detail {

/// A file of the page, as the build has put it into the library.
struct asset {
  std::string_view path;          ///< `/`, `/assets/page.js`
  std::string_view content_type;  ///< with its character set
  std::string_view bytes;
  std::string_view etag;          ///< with its quotes; changes with the bytes
};

/// The file of exactly that path; null when there is none. Thread safety: any thread.
[[nodiscard]] const asset* find_asset(std::string_view path) noexcept;

}  // namespace switchgear::inline v1::detail
