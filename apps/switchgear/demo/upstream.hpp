// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace switchgear::demo {

/// The process of an upstream: serves HTTP/1.1 on the listening socket `first_inherited`, says `ready` on the next
/// descriptor, and ends when the one after that is closed at the other end. The exit status.
int run_upstream();

}  // namespace switchgear::demo
