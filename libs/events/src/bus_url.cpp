// SPDX-License-Identifier: Apache-2.0
#include <switchgear/bus_url.hpp>
