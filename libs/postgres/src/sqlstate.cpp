// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <switchgear/postgres/errors.hpp>

#include <array>

namespace switchgear::inline v1::postgres {
namespace {

struct table_row {
  std::string_view code;  ///< a class of two characters or one condition
  std::string_view name;
  postgres::blame blame;
};
using enum blame;

constexpr std::array table{
    table_row{"08", "connection_exception", server},
    table_row{"08001", "unable_to_establish_connection", server},
    table_row{"08006", "connection_failure", server},
    table_row{"08P01", "protocol_violation", server},
    table_row{"09", "triggered_action_exception", caller},
    table_row{"0A", "feature_not_supported", caller},
    table_row{"0B", "invalid_transaction_initiation", caller},
    table_row{"0F", "locator_exception", caller},
    table_row{"0L", "invalid_grantor", caller},
    table_row{"0P", "invalid_role_specification", caller},
    table_row{"0Z", "diagnostics_exception", caller},
    table_row{"20", "case_not_found", caller},
    table_row{"21", "cardinality_violation", caller},
    table_row{"22", "data_exception", caller},
    table_row{"22001", "string_data_right_truncation", caller},
    table_row{"22003", "numeric_value_out_of_range", caller},
    table_row{"22007", "invalid_datetime_format", caller},
    table_row{"22012", "division_by_zero", caller},
    table_row{"22021", "character_not_in_repertoire", caller},
    table_row{"22P02", "invalid_text_representation", caller},
    table_row{"23", "integrity_constraint_violation", caller},
    table_row{"23502", "not_null_violation", caller},
    table_row{"23503", "foreign_key_violation", caller},
    table_row{"23505", "unique_violation", caller},
    table_row{"23514", "check_violation", caller},
    table_row{"23P01", "exclusion_violation", caller},
    table_row{"24", "invalid_cursor_state", caller},
    table_row{"25", "invalid_transaction_state", caller},
    table_row{"25006", "read_only_sql_transaction", caller},
    table_row{"25P01", "no_active_sql_transaction", caller},
    table_row{"25P02", "in_failed_sql_transaction", caller},
    table_row{"25P03", "idle_in_transaction_session_timeout", caller},
    table_row{"26", "invalid_sql_statement_name", caller},
    table_row{"27", "triggered_data_change_violation", caller},
    table_row{"28", "invalid_authorization_specification", caller},
    table_row{"28P01", "invalid_password", caller},
    table_row{"2B", "dependent_privilege_descriptors_still_exist", caller},
    table_row{"2D", "invalid_transaction_termination", caller},
    table_row{"2F", "sql_routine_exception", caller},
    table_row{"34", "invalid_cursor_name", caller},
    table_row{"38", "external_routine_exception", caller},
    table_row{"39", "external_routine_invocation_exception", caller},
    table_row{"3B", "savepoint_exception", caller},
    table_row{"3D", "invalid_catalog_name", caller},
    table_row{"3F", "invalid_schema_name", caller},
    table_row{"40", "transaction_rollback", contention},
    table_row{"40001", "serialization_failure", contention},
    table_row{"40002", "transaction_integrity_constraint_violation", caller},
    table_row{"40003", "statement_completion_unknown", server},
    table_row{"40P01", "deadlock_detected", contention},
    table_row{"42", "syntax_error_or_access_rule_violation", caller},
    table_row{"42501", "insufficient_privilege", caller},
    table_row{"42601", "syntax_error", caller},
    table_row{"42703", "undefined_column", caller},
    table_row{"42883", "undefined_function", caller},
    table_row{"42P01", "undefined_table", caller},
    table_row{"42P07", "duplicate_table", caller},
    table_row{"42P18", "indeterminate_datatype", caller},
    table_row{"44", "with_check_option_violation", caller},
    table_row{"53", "insufficient_resources", server},
    table_row{"53100", "disk_full", server},
    table_row{"53200", "out_of_memory", server},
    table_row{"53300", "too_many_connections", server},
    table_row{"54", "program_limit_exceeded", caller},
    table_row{"55", "object_not_in_prerequisite_state", caller},
    table_row{"55P03", "lock_not_available", caller},
    table_row{"57", "operator_intervention", server},
    table_row{"57014", "query_canceled", server},
    table_row{"57P01", "admin_shutdown", server},
    table_row{"57P02", "crash_shutdown", server},
    table_row{"57P03", "cannot_connect_now", server},
    table_row{"57P04", "database_dropped", caller},
    table_row{"57P05", "idle_session_timeout", server},
    table_row{"58", "system_error", server},
    table_row{"58030", "io_error", server},
    table_row{"72", "snapshot_too_old", contention},
    table_row{"F0", "config_file_error", server},
    table_row{"HV", "fdw_error", caller},
    table_row{"P0", "plpgsql_error", caller},
    table_row{"P0001", "raise_exception", caller},
    table_row{"XX", "internal_error", server},
    table_row{"XX001", "data_corrupted", server},
    table_row{"XX002", "index_corrupted", server},
};

}  // namespace

std::string_view to_string(blame b) noexcept {
  switch (b) {
    case caller: return "caller";
    case contention: return "contention";
    case server: return "server";
  }
  return "unknown";
}

sqlstate_meaning meaning_of(std::string_view sqlstate) noexcept {
  sqlstate_meaning found{"user_defined_error", caller};
  for (const table_row& r : table) {
    if (r.code == sqlstate) return {r.name, r.blame};
    if (r.code == sqlstate.substr(0, 2)) found = {r.name, r.blame};
  }
  return found;
}

classifier rules() {
  return classifier{}
      .judge_exception<detail::foreign_error>(
          [](const detail::foreign_error& e) { return e.connection_broke() ? verdict::failure : verdict::ignored; })
      .ignore<refused_error>();
}

namespace detail {

void raise(const failure& f, const adapter::attempt& a) {
  const sqlstate_meaning meaning = meaning_of(f.code);
  std::string text = std::string(meaning.name) + " (" + f.code + ")" + f.where;
  switch (meaning.blame) {
    case caller: throw a.refused(a.context.target + " refused: " + text, f.code);
    case contention:
      text.insert(0, a.context.target + ": another transaction was in the way: ");
      throw conflict_error(std::move(text), a.context, a.correlation_id, f.code);
    case server: break;
  }
  throw server_error(std::move(text), f.code);
}

}  // namespace detail
}  // namespace switchgear::inline v1::postgres
