// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether this translation unit is compiled with exceptions. No type depends on it; only the bodies of templates do.
#if defined(__cpp_exceptions)
#define SWITCHGEAR_HAS_EXCEPTIONS 1
#else
#define SWITCHGEAR_HAS_EXCEPTIONS 0
#endif
