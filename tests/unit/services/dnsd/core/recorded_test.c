/* The answers of the reference that dns.md 14 has on record (dns 75). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/dnsd/core/sample.h"

enum rcode { NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED };

struct row {
    const char *question, *options;
    enum rcode rcode;
    const char *flags;
    unsigned counts[3], bytes;
    const char *sections[3];
};

#define RECORDED(question, options, rcode, flags, an, ns, ar, bytes, answer, authority,            \
                 additional)                                                                       \
    {question, options, rcode, flags, {an, ns, ar}, bytes, {answer, authority, additional}},
static const struct row plain[] = {
#include "tests/golden/dns/plain.def"
};
static const struct row tuned[] = {
#include "tests/golden/dns/tuned.def"
};
#undef RECORDED

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines in order, as message_read() has them, and every serial the same. */
static char *sorted(const char *text)
{
    char *copy = cu_strdup(text), *rest = copy, *lines[128], *out = cu_alloc(strlen(text) + 1);
    size_t count = 0, len = 0;
    for (char *line; (line = strtok_r(rest, "\n", &rest));)
        lines[count++] = line;
    qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++)
        len += (size_t)sprintf(out + len, "%s\n", lines[i]);
    char *serial = strstr(out, " 17951673");
    serial = serial ? serial : strstr(out, " 17951672");
    if (serial)
        memcpy(serial, " 1795167269", strlen(" 1795167269"));
    free(copy);
    return out;
}

/* What is drawn at random: only how much of it is on record. */
static bool is_drawn(const struct row *row)
{
    return (strstr(row->question, "many") || strstr(row->question, "big")) && row->counts[0] != 12;
}

static void compare(struct sample *s, const struct row *row)
{
    sample_ask(s, row->question, row->options);
    const struct message *m = &s->message;
    const char *what = row->question;
    ck_assert_msg(s->answer.outcome == DNS_ANSWERED, "%s", what);
    ck_assert_msg(m->rcode == row->rcode && m->rcode == s->answer.rcode, "%s: rcode %u", what,
                  m->rcode);
    ck_assert_msg(!strcmp(m->flags, row->flags), "%s: %s", what, m->flags);
    for (int i = 0; i < 3; i++)
        ck_assert_msg(m->counts[i + 1] == row->counts[i], "%s: %u in section %d", what,
                      m->counts[i + 1], i + 1);
    unsigned slack = is_drawn(row) ? 3 : 0; /* longer names were drawn */
    ck_assert_msg(s->writer.len <= row->bytes + slack && s->writer.len + slack >= row->bytes,
                  "%s: %zu bytes, not %u", what, s->writer.len, row->bytes);
    for (int i = 0; !is_drawn(row) && i < 3; i++) {
        char *want = sorted(row->sections[i]);
        ck_assert_str_eq(m->sections[i + 1], want);
        free(want);
    }
}

START_TEST(plain_answers_are_those_of_the_reference)
{
    struct sample *s = sample_new();
    for (size_t i = 0; i < CU_COUNT(plain); i++) {
        if (plain[i].bytes == 0) { /* an AXFR: dig says no size */
            sample_ask(s, plain[i].question, plain[i].options);
            ck_assert_uint_eq(s->message.rcode, NOTIMP);
            continue;
        }
        compare(s, &plain[i]);
    }
    sample_free(s);
}
END_TEST

/* What a recursor answers is not ours to make. */
static bool is_forwarded(const char *question)
{
    static const char *const names[] = {"www.example", "nx.example", "fail.example", "9.9.9.9."};
    for (size_t i = 0; i < CU_COUNT(names); i++)
        if (!strncmp(question, names[i], strlen(names[i])))
            return true;
    return false;
}

START_TEST(tuned_answers_are_those_of_the_reference)
{
    struct sample *s = sample_new_tuned();
    size_t forwarded = 0;
    for (size_t i = 0; i < CU_COUNT(tuned); i++) {
        if (!is_forwarded(tuned[i].question)) {
            compare(s, &tuned[i]);
            continue;
        }
        sample_ask(s, tuned[i].question, tuned[i].options);
        ck_assert_int_eq(s->answer.outcome, DNS_FORWARD);
        forwarded++;
    }
    ck_assert_uint_eq(forwarded, 4);
    sample_free(s);
}
END_TEST

START_TEST(an_answer_with_edns_has_an_opt_of_the_same_size) /* dns 65 */
{
    struct sample *s = sample_new_tuned();
    sample_ask(s, "web.service.consul A", "+bufsize=1232 +subnet=192.0.2.77/24");
    ck_assert(s->message.has_opt);
    ck_assert_uint_eq(s->message.opt_bytes, 1232);
    ck_assert_str_eq(s->message.subnet, "192.0.2.0/24");
    ck_assert_uint_eq(s->message.scope_bits, 0);
    sample_free(s);
}
END_TEST

SUITE_MAIN("services/dnsd/core/recorded", plain_answers_are_those_of_the_reference,
           tuned_answers_are_those_of_the_reference,
           an_answer_with_edns_has_an_opt_of_the_same_size)
