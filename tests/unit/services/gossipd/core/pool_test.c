/* Who may be in a Consul pool: gossip.md 23.3, checklist 76 and 77. */
#include "tests/lib/suite.h"

#include <string.h>

#include "tests/unit/services/gossipd/core/rig.h"

static struct cu_bytes meta_of(const char *const (*pairs)[2], uint32_t count)
{
    static struct cu_buf buf;
    static struct gossip_tags tags;
    tags.count = count;
    for (uint32_t i = 0; i < count; i++)
        tags.tag[i] = (struct gossip_tag){cu_bytes_of(pairs[i][0]), cu_bytes_of(pairs[i][1])};
    cu_buf_clear(&buf);
    ck_assert_int_eq(gossip_tags_encode(&buf, &tags), CU_OK);
    return cu_buf_bytes(&buf);
}

static const struct {
    const char *claim;
    enum gossip_pool pool;
    uint32_t count;
    const char *tags[4][2];
    const char *refusal; /* NULL: let in */
} cases[] = {
    {"a client of this datacenter", GOSSIP_POOL_LAN, 2, {{"dc", "dc1"}, {"role", "node"}}, NULL},
    {"a server of this datacenter", GOSSIP_POOL_LAN, 2, {{"dc", "dc1"}, {"role", "consul"}}, NULL},
    {"a client of another one",
     GOSSIP_POOL_LAN,
     2,
     {{"dc", "dc2"}, {"role", "node"}},
     "Member 'b' part of wrong datacenter 'dc2'"},
    {"a server without one",
     GOSSIP_POOL_LAN,
     1,
     {{"role", "consul"}},
     "Member 'b' part of wrong datacenter ''"},
    {"another segment",
     GOSSIP_POOL_LAN,
     3,
     {{"dc", "dc1"}, {"role", "node"}, {"segment", "s2"}},
     "Member 'b' part of wrong segment 's2' (expected '')"},
    {"our own node id",
     GOSSIP_POOL_LAN,
     3,
     {{"dc", "dc1"}, {"id", "id-a"}, {"role", "node"}},
     "Member 'b' has conflicting node ID 'id-a' with this agent's ID"},
    {"a stand-alone serf agent", GOSSIP_POOL_LAN, 1, {{"role", "db"}}, NULL},
    {"a serf agent without tags", GOSSIP_POOL_LAN, 0, {{0}}, NULL},
    {"a server in the WAN pool", GOSSIP_POOL_WAN, 2, {{"port", "8300"}, {"role", "consul"}}, NULL},
    {"one with a bad port",
     GOSSIP_POOL_WAN,
     2,
     {{"port", "x"}, {"role", "consul"}},
     "Member 'b' is not a server"},
    {"a client in the WAN pool",
     GOSSIP_POOL_WAN,
     1,
     {{"role", "node"}},
     "Member 'b' is not a server"},
    {"anybody in an open pool", GOSSIP_POOL_OPEN, 1, {{"dc", "dc9"}}, NULL},
};

START_TEST(an_alive_message_is_checked) /* 76, 77 */
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct rig rig;
        rig_open(&rig, &(struct rig_seed){.pool = cases[i].pool});
        rig_alive_meta(&rig, "b", 1, meta_of(cases[i].tags, cases[i].count));
        bool is_in = rig_status(&rig, "b") == GOSSIP_STATUS_ALIVE;
        ck_assert_msg(is_in == !cases[i].refusal, "%s", cases[i].claim);
        ck_assert(rig_noted(&rig, GOSSIP_NOTE_REFUSED) == !is_in);
        if (!is_in)
            ck_assert_str_eq(rig_action(&rig, GOSSIP_ACT_NOTE)->note.text, cases[i].refusal);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(a_join_is_checked_as_a_whole) /* 76 */
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct rig rig;
        rig_open(&rig, &(struct rig_seed){.pool = cases[i].pool});
        struct gossip_node_state nodes[2] = {
            {.alive = {.node = cu_bytes_of("c"),
                       .addr = rig_addr('c'),
                       .incarnation = 1,
                       .versions = GOSSIP_VERSIONS_CONSUL},
             .state = GOSSIP_STATE_LEFT}, /* exempt */
            {.alive = {.node = cu_bytes_of("b"),
                       .addr = rig_addr('b'),
                       .incarnation = 1,
                       .meta = meta_of(cases[i].tags, cases[i].count),
                       .versions = GOSSIP_VERSIONS_CONSUL}}};
        rig_push_pull(&rig, nodes, 2, NULL, true);
        bool is_in = rig_status(&rig, "b") == GOSSIP_STATUS_ALIVE;
        ck_assert_msg(is_in == !cases[i].refusal, "%s", cases[i].claim);
        ck_assert(rig_noted(&rig, GOSSIP_NOTE_MERGE_REFUSED) == !is_in);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(two_members_of_one_id_are_refused_at_a_join) /* 76 */
{
    static const char *const tags[][2] = {{"dc", "dc1"}, {"id", "same"}, {"role", "node"}};
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.pool = GOSSIP_POOL_LAN});
    struct cu_bytes meta = meta_of(tags, 3);
    struct gossip_node_state nodes[2];
    for (unsigned i = 0; i < 2; i++)
        nodes[i] = (struct gossip_node_state){.alive = {.node = cu_bytes_of(i ? "c" : "b"),
                                                        .addr = rig_addr(i ? 'c' : 'b'),
                                                        .incarnation = 1,
                                                        .meta = meta,
                                                        .versions = GOSSIP_VERSIONS_CONSUL}};
    rig_push_pull(&rig, nodes, 2, NULL, true);
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_MERGE_REFUSED));
    ck_assert_str_eq(rig_action(&rig, GOSSIP_ACT_NOTE)->note.text,
                     "Member 'c' has conflicting node ID 'same' with member 'b'");
    ck_assert_int_eq(rig_status(&rig, "b"), GOSSIP_STATUS_NONE);
    rig_close(&rig);
}
END_TEST

START_TEST(an_alive_without_versions_is_refused_where_members_are_checked)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.pool = GOSSIP_POOL_LAN});
    struct gossip_message message = {
        .type = GOSSIP_ALIVE,
        .alive = {.node = cu_bytes_of("b"), .addr = rig_addr('b'), .incarnation = 1}};
    rig_hear(&rig, &message, 'b');
    ck_assert(rig_noted(&rig, GOSSIP_NOTE_REFUSED));
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/gossipd/core/pool", an_alive_message_is_checked, a_join_is_checked_as_a_whole,
           two_members_of_one_id_are_refused_at_a_join,
           an_alive_without_versions_is_refused_where_members_are_checked)
