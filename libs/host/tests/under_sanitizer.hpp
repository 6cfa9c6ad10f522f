// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace switchgear::host::tests {

// The allocators of the sanitizers, other than that of the C library, do not survive a fork while other threads allocate.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool under_sanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool under_sanitizer = true;
#else
inline constexpr bool under_sanitizer = false;
#endif
#else
inline constexpr bool under_sanitizer = false;
#endif

}  // namespace switchgear::host::tests
