// SPDX-License-Identifier: Apache-2.0
#include <switchgear/machine/machine.hpp>

namespace switchgear::inline v1::machine {

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "a block is shared by threads and processes without locks");
static_assert(sizeof(block) % sizeof(std::uint64_t) == 0);

template class basic_machine<std::atomic>;

}  // namespace switchgear::inline v1::machine
