#include "services/raftd/rpc/service.h"

#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/services/raftd/rpc/fixture.h"

START_TEST(a_sole_server_leads_at_once_after_the_first_attach) /* consensus 95 */
{
    struct fixture *fixture = fixture_new(1, "");
    fixture_start(fixture, 1);
    Curia__Internal__V1__LogStatusReply *status = fixture_status(fixture, 1);
    ck_assert_str_eq(status->role, "follower");
    ck_assert_uint_eq(status->last_index, 0);
    protobuf_c_message_free_unpacked(&status->base, NULL);
    fixture_attach(fixture, 1);
    ck_assert_uint_eq(fixture_wait_leader(fixture), 1);
    fixture_propose(fixture, 1, 1, "first");
    ck_assert_uint_gt(fixture_wait_entry(fixture, 1, "first"), 0);
    fixture_free(fixture);
}
END_TEST

SUITE_MAIN("services/raftd/rpc/service", a_sole_server_leads_at_once_after_the_first_attach)
