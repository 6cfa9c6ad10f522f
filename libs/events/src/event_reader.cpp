// SPDX-License-Identifier: Apache-2.0
#include <switchgear/event_reader.hpp>
