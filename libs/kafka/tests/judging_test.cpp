// SPDX-License-Identifier: Apache-2.0
#include <switchgear/kafka_error.hpp>

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

// The table of kafka::judge, row by row.
namespace sg = switchgear;

namespace {

struct row {
  int code;
  sg::verdict expected;
};

constexpr auto timeout = sg::verdict::timeout, failure = sg::verdict::failure, ignored = sg::verdict::ignored;

class kafka_judging : public testing::TestWithParam<row> {};

TEST_P(kafka_judging, says_what_an_error_tells_of_the_brokers) {
  EXPECT_EQ(sg::kafka::judge(GetParam().code), GetParam().expected) << sg::kafka::name_of(GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(table, kafka_judging, testing::Values(
    row{RD_KAFKA_RESP_ERR_NO_ERROR, sg::verdict::success},
    row{RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, timeout}, row{RD_KAFKA_RESP_ERR__TIMED_OUT, timeout},
    row{RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, timeout}, row{RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, timeout},
    row{RD_KAFKA_RESP_ERR__TRANSPORT, failure}, row{RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, failure},
    row{RD_KAFKA_RESP_ERR__RESOLVE, failure}, row{RD_KAFKA_RESP_ERR__SSL, failure}, row{RD_KAFKA_RESP_ERR__FATAL, failure},
    row{RD_KAFKA_RESP_ERR_UNKNOWN, failure}, row{RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, failure},
    row{RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, failure}, row{RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, failure},
    row{RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, failure}, row{RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, failure},
    row{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, failure}, row{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, failure},
    row{RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, failure}, row{RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, failure},
    row{RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, failure}, row{4711, failure}, row{-4711, failure}));

INSTANTIATE_TEST_SUITE_P(the_callers_doing, kafka_judging, testing::Values(
    row{RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, ignored}, row{RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, ignored},
    row{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ignored}, row{RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, ignored},
    row{RD_KAFKA_RESP_ERR__INVALID_ARG, ignored}, row{RD_KAFKA_RESP_ERR_INVALID_MSG, ignored},
    row{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ignored}, row{RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, ignored},
    row{RD_KAFKA_RESP_ERR_INVALID_RECORD, ignored}, row{RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, ignored},
    row{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ignored}, row{RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, ignored},
    row{RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, ignored}, row{RD_KAFKA_RESP_ERR__AUTHENTICATION, ignored},
    row{RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, ignored}, row{RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, ignored},
    row{RD_KAFKA_RESP_ERR_INVALID_CONFIG, ignored}, row{RD_KAFKA_RESP_ERR_POLICY_VIOLATION, ignored},
    row{RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, ignored}, row{RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, ignored},
    row{RD_KAFKA_RESP_ERR__QUEUE_FULL, ignored}, row{RD_KAFKA_RESP_ERR__PURGE_QUEUE, ignored},
    row{RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, ignored}));

TEST(kafka_error, is_named_as_librdkafka_names_it) {
  EXPECT_EQ(sg::kafka::name_of(RD_KAFKA_RESP_ERR__TRANSPORT), "_TRANSPORT");
  EXPECT_EQ(sg::kafka::name_of(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART), "UNKNOWN_TOPIC_OR_PART");
  EXPECT_EQ(sg::kafka::name_of(4711), "ERR_4711");
}

}  // namespace
