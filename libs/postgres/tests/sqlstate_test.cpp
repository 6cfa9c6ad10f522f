// SPDX-License-Identifier: Apache-2.0
#include <switchgear/postgres/errors.hpp>

#include <gtest/gtest.h>

namespace {

namespace pg = switchgear::postgres;
using enum pg::blame;

struct expectation {
  const char* code;
  const char* name;
  pg::blame blame;
};

class sqlstates : public testing::TestWithParam<expectation> {};

TEST_P(sqlstates, are_someones_doing) {
  const pg::sqlstate_meaning found = pg::meaning_of(GetParam().code);
  EXPECT_EQ(found.name, GetParam().name);
  EXPECT_EQ(found.blame, GetParam().blame) << to_string(found.blame);
}

// One row for each row of the table in the README, and one condition that only its class knows for most classes.
INSTANTIATE_TEST_SUITE_P(
    table, sqlstates,
    testing::Values(expectation{"08000", "connection_exception", server}, expectation{"08006", "connection_failure", server},
                    expectation{"08P01", "protocol_violation", server}, expectation{"0A000", "feature_not_supported", caller},
                    expectation{"22P02", "invalid_text_representation", caller}, expectation{"22999", "data_exception", caller},
                    expectation{"23505", "unique_violation", caller},
                    expectation{"23999", "integrity_constraint_violation", caller},
                    expectation{"25P02", "in_failed_sql_transaction", caller},
                    expectation{"28000", "invalid_authorization_specification", caller},
                    expectation{"28P01", "invalid_password", caller}, expectation{"3D000", "invalid_catalog_name", caller},
                    expectation{"40001", "serialization_failure", contention},
                    expectation{"40P01", "deadlock_detected", contention},
                    expectation{"40002", "transaction_integrity_constraint_violation", caller},
                    expectation{"40003", "statement_completion_unknown", server},
                    expectation{"40000", "transaction_rollback", contention},
                    expectation{"42601", "syntax_error", caller}, expectation{"42501", "insufficient_privilege", caller},
                    expectation{"42999", "syntax_error_or_access_rule_violation", caller},
                    expectation{"53000", "insufficient_resources", server}, expectation{"53100", "disk_full", server},
                    expectation{"53200", "out_of_memory", server}, expectation{"53300", "too_many_connections", server},
                    expectation{"54001", "program_limit_exceeded", caller},
                    expectation{"55P03", "lock_not_available", caller},
                    expectation{"57014", "query_canceled", server}, expectation{"57P01", "admin_shutdown", server},
                    expectation{"57P02", "crash_shutdown", server}, expectation{"57P03", "cannot_connect_now", server},
                    expectation{"57P04", "database_dropped", caller}, expectation{"57P05", "idle_session_timeout", server},
                    expectation{"58030", "io_error", server}, expectation{"72000", "snapshot_too_old", contention},
                    expectation{"F0001", "config_file_error", server}, expectation{"HV00N", "fdw_error", caller},
                    expectation{"P0001", "raise_exception", caller}, expectation{"XX000", "internal_error", server},
                    expectation{"XX001", "data_corrupted", server}, expectation{"U0001", "user_defined_error", caller},
                    expectation{"", "user_defined_error", caller}),
    [](const auto& row) { return *row.param.code == '\0' ? std::string("none") : std::string(row.param.code); });

}  // namespace
