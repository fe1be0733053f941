/* raft/peers.json (consensus.md 17, 58). */
#include "services/raftd/io/peers_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

#define A "{\"id\":\"11000000-0000-0000-0000-000000000000\",\"address\":\"10.0.0.1:8300\"}"
#define B "{\"id\":\"22000000-0000-0000-0000-000000000000\",\"non_voter\":true}"

static enum cu_err parse(const char *text, struct raft_configuration *ret_set, struct cu_diag *diag)
{
    return raft_peers_file_parse(cu_bytes_of(text), ret_set, diag);
}

START_TEST(reads_the_references_list)
{
    struct raft_configuration set;
    ck_assert_uint_eq(parse("[" A "," B "]", &set, NULL), CU_OK);
    ck_assert_uint_eq(set.count, 2);
    ck_assert_uint_eq(set.servers[0].id.bytes[0], 0x11);
    ck_assert(set.servers[0].is_voter && !set.servers[1].is_voter);
    ck_assert_uint_eq(set.servers[0].incarnation, 0);
}
END_TEST

START_TEST(refuses_empty_voterless_and_malformed_lists) /* consensus 58 */
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "line 1"},
        {"[" A, "line 1"},
        {"{}", "a list of at least one"},
        {"[]", "a list of at least one"},
        {"[\"10.0.0.1:8300\"]", "needs an id"},
        {"[{\"id\":\"x\"}]", "needs an id"},
        {"[{\"id\":\"00000000-0000-0000-0000-000000000000\"}]", "needs an id"},
        {"[" A "," A "]", "is there twice"},
        {"[" B "]", "no server in it is a voter"},
        {"[{\"id\":\"11000000-0000-0000-0000-000000000000\",\"non_voter\":1}]", "true or false"},
        {"[{\"id\":\"11000000-0000-0000-0000-000000000000\",\"address\":1}]", "must be a text"},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct raft_configuration set;
        struct cu_diag diag = {{0}};
        ck_assert_uint_eq(parse(cases[i].text, &set, &diag), CU_E_INVALID);
        ck_assert_msg(strstr(diag.text, cases[i].want) != NULL, "%s: %s", cases[i].text, diag.text);
    }
}
END_TEST

static void add_server(struct cu_buf *text, unsigned n)
{
    cu_buf_printf(text, "%s{\"id\":\"%08x-0000-0000-0000-000000000000\"}", n > 1 ? "," : "[", n);
}

START_TEST(a_list_over_the_limits_is_refused)
{
    struct cu_buf text = {0};
    struct raft_configuration set;
    for (unsigned n = 1; n <= RAFT_SERVERS_MAX; n++)
        add_server(&text, n);
    size_t mark = text.len;
    cu_buf_text(&text, "]");
    ck_assert_uint_eq(raft_peers_file_parse(cu_buf_bytes(&text), &set, NULL), CU_OK);
    while (text.len < RAFT_PEERS_FILE_BYTES)
        cu_buf_u8(&text, ' ');
    ck_assert_uint_eq(raft_peers_file_parse(cu_buf_bytes(&text), &set, NULL), CU_OK);
    cu_buf_u8(&text, ' ');
    ck_assert_uint_eq(raft_peers_file_parse(cu_buf_bytes(&text), &set, NULL), CU_E_INVALID);
    text.len = mark;
    add_server(&text, RAFT_SERVERS_MAX + 1);
    cu_buf_text(&text, "]");
    ck_assert_uint_eq(raft_peers_file_parse(cu_buf_bytes(&text), &set, NULL), CU_E_INVALID);
    cu_buf_deinit(&text);
}
END_TEST

START_TEST(a_file_is_read_whole_and_removed)
{
    char path[] = "/tmp/curia-peers-XXXXXX";
    int fd = mkstemp(path);
    struct cu_buf text = {0};
    ck_assert_int_eq(write(fd, "[" A "]", strlen("[" A "]")), (ssize_t)strlen("[" A "]"));
    ck_assert_uint_eq(raft_peers_file_read(path, &text, NULL), CU_OK);
    ck_assert_uint_eq(text.len, strlen("[" A "]"));
    ck_assert_int_eq(ftruncate(fd, RAFT_PEERS_FILE_BYTES + 1), 0);
    close(fd);
    cu_buf_clear(&text);
    ck_assert_uint_eq(raft_peers_file_read(path, &text, NULL), CU_E_INVALID);
    ck_assert_uint_eq(raft_peers_file_remove(path, NULL), CU_OK);
    cu_buf_clear(&text);
    ck_assert_uint_eq(raft_peers_file_read(path, &text, NULL), CU_E_NOT_FOUND);
    cu_buf_deinit(&text);
}
END_TEST

START_TEST(the_id_follows_from_the_prior_one_and_the_bytes) /* contracts 3.10 */
{
    struct raft_id a = {{1}}, b = {{2}};
    struct raft_id id = raft_recovery_id(a, cu_bytes_of("[" A "]"));
    ck_assert(raft_id_equal(id, raft_recovery_id(a, cu_bytes_of("[" A "]"))));
    ck_assert(!raft_id_equal(id, raft_recovery_id(b, cu_bytes_of("[" A "]"))));
    ck_assert(!raft_id_equal(id, raft_recovery_id(a, cu_bytes_of("[" A "] "))));
}
END_TEST

SUITE_MAIN("services/raftd/io/peers_file", reads_the_references_list,
           refuses_empty_voterless_and_malformed_lists, a_list_over_the_limits_is_refused,
           a_file_is_read_whole_and_removed, the_id_follows_from_the_prior_one_and_the_bytes)
