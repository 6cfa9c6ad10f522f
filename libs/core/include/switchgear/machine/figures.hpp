// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <switchgear/machine/machine.hpp>
#include <switchgear/snapshot.hpp>

namespace switchgear::inline v1::machine {

/// The counters of a block as users see them.
[[nodiscard]] lifetime_metrics lifetime(const totals& sum) noexcept;

/// What a machine knows of a circuit, as a snapshot; its home adds the name, the texts, wall times and the history.
[[nodiscard]] snapshot figures(const observation& seen, const totals& sum, nanos now);

}  // namespace switchgear::inline v1::machine
