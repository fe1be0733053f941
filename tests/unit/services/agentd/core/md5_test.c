#include "services/agentd/core/md5.h"

#include <string.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

static const struct {
    const char *text, *digest;
} cases[] = {
    /* RFC 1321, A.5 */
    {"", "d41d8cd98f00b204e9800998ecf8427e"},
    {"a", "0cc175b9c0f1b6a831c399e269772661"},
    {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
     "d174ab98d277d9f5a5611c2c9f419d9f"},
    {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
     "57edf4a22be3c955ac49da2e2107b67a"},
    /* agent.md 10 */
    {"redis1", "fd1742239212ef81344dca043704c36f"},
    {"_node_maintenance", "e5b8f5ee703685797dee971addc24b9f"},
    {"service:redis1:1", "0cff1dc941e600e824d564cc571287f8"},
    {"mem", "afc4fc7e48a0710a1dc94ef3e8bc5764"},
};

START_TEST(gives_the_digests_of_the_rfc_and_of_the_reference) /* agent 45 */
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        char text[AGENT_MD5_TEXT_BYTES];
        ck_assert_str_eq(agent_md5_text(cu_bytes_of(cases[i].text), text), cases[i].digest);
    }
}
END_TEST

SUITE_MAIN("services/agentd/core/md5", gives_the_digests_of_the_rfc_and_of_the_reference)
