#include "tests/unit/services/dnsd/core/sample.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum { ARENA_BYTES = 1024 * 1024, ROUNDS_MAX = 8, NOW_S = 1795167269 };

struct cu_bytes sample_key(const char *node, const char *id)
{
    static char key[1024];
    size_t len = (size_t)snprintf(key, sizeof key, "%s%c%s", node, '\0', id);
    for (size_t i = 0; i < len; i++)
        key[i] = (char)tolower((unsigned char)key[i]);
    return (struct cu_bytes){(const uint8_t *)key, len};
}

static struct cu_bytes node_key(const char *node)
{
    struct cu_bytes key = sample_key(node, "");
    return (struct cu_bytes){key.data, key.len - 1};
}

void sample_node(struct sample *s, const char *name, const char *address)
{
    dns_view_put_node(s->view, node_key(name),
                      &(struct dns_node_facts){.name = name, .address = address});
}

void sample_instance(struct sample *s, const struct sample_instance *in)
{
    bool has_weights = in->passing || in->warning;
    size_t tags = 0;
    while (tags < CU_COUNT(in->tags) && in->tags[tags])
        tags++;
    dns_view_put_instance(
        s->view, sample_key(in->node, in->id ? in->id : in->service),
        &(struct dns_instance_facts){.service = in->service,
                                     .address = in->address,
                                     .lan_ipv4 = in->lan_ipv4,
                                     .lan_ipv6 = in->lan_ipv6,
                                     .port = in->port,
                                     .weight_passing = has_weights ? in->passing : 1,
                                     .weight_warning = has_weights ? in->warning : 1,
                                     .connects_to = in->connects_to,
                                     .tags = (const char *const *)in->tags,
                                     .tag_count = tags});
}

void sample_check(struct sample *s, const char *node, const char *id, const char *service_id,
                  enum dns_health health)
{
    dns_view_put_check(s->view, sample_key(node, id), cu_bytes_of(service_id), health);
}

/* ---- the catalog of dns.md 14 ---- */

static void add(struct sample *s, const char *node, const char *service, const char *address,
                int port)
{
    sample_instance(s, &(struct sample_instance){
                           .node = node, .service = service, .address = address, .port = port});
}

static void fill_web(struct sample *s)
{
    sample_node(s, "srv1", "127.0.0.1");
    add(s, "srv1", "consul", NULL, 8300);
    sample_check(s, "srv1", "serfHealth", "", DNS_PASSING);
    sample_node(s, "ext1", "10.9.9.1");
    sample_instance(s, &(struct sample_instance){.node = "ext1",
                                                 .id = "web1",
                                                 .service = "web",
                                                 .address = "10.9.9.11",
                                                 .port = 8080,
                                                 .tags = {"v1", "primary"},
                                                 .passing = 5,
                                                 .warning = 2});
    sample_instance(s, &(struct sample_instance){.node = "ext1",
                                                 .service = "web-sidecar-proxy",
                                                 .port = 21000,
                                                 .connects_to = "web"});
    add(s, "ext1", "igw", "10.9.9.77", 8443);
    sample_node(s, "ext2", "10.9.9.2");
    sample_instance(
        s, &(struct sample_instance){
               .node = "ext2", .id = "web2", .service = "web", .port = 8081, .tags = {"v2"}});
    sample_check(s, "ext2", "service:web2", "web2", DNS_WARNING);
    sample_node(s, "ext3", "10.9.9.3");
    add(s, "ext3", "web", NULL, 8082);
    sample_check(s, "ext3", "service:web", "web", DNS_CRITICAL);
}

static void fill_others(struct sample *s)
{
    sample_node(s, "v6node", "2001:db8::7");
    add(s, "v6node", "six", NULL, 90);
    sample_node(s, "named", "www.example.test");
    add(s, "named", "extsvc", NULL, 443);
    sample_node(s, "ext4", "10.9.9.4");
    add(s, "ext4", "extsvc2", "svc.example.test", 443);
    sample_node(s, "under_score", "10.9.9.6");
    add(s, "under_score", "under_svc", NULL, 1);
}

void sample_row(struct sample *s, const struct sample_row *row)
{
    for (int i = 1; i <= row->count; i++) {
        char name[128], address[32];
        (void)snprintf(name, sizeof name, "%s%d%s", row->service, i, row->behind);
        (void)snprintf(address, sizeof address, "%s.%d.%d", row->net, i / 256, i % 256);
        sample_node(s, name, address);
        add(s, name, row->service, NULL, row->port + i);
    }
}

static void fill(struct sample *s)
{
    fill_web(s);
    fill_others(s);
    sample_row(s, &(struct sample_row){"many", "", "10.8", 12, 9000});
    sample_row(
        s, &(struct sample_row){"big", "-with-a-long-node-name-to-fill-packets", "10.7", 60, 7000});
}

struct sample *sample_new(void)
{
    struct sample *s = cu_alloc(sizeof *s);
    struct cu_diag diag = {0};
    CU_ASSERT(dns_zone_init(&s->zone, "consul.", "", "dc1", &diag) == CU_OK);
    s->settings = (struct dns_settings){.soa_refresh_s = 3600,
                                        .soa_retry_s = 600,
                                        .soa_expire_s = 86400,
                                        .udp_answer_limit = 3,
                                        .compresses = true,
                                        .adds_node_meta = true};
    s->view = dns_view_new(&s->zone);
    s->scratch = dns_scratch_new();
    s->arena = cu_arena_new(ARENA_BYTES);
    s->random.state = 7;
    s->now_s = NOW_S;
    fill(s);
    return s;
}

struct sample *sample_new_tuned(void)
{
    static const char *const texts[] = {"rack=r1", "plain", "k`=2=v 2"};
    struct sample *s = sample_new();
    struct cu_diag diag = {0};
    struct cu_bytes values[CU_COUNT(texts)];
    CU_ASSERT(dns_zone_init(&s->zone, "consul.", "alt.", "dc1", &diag) == CU_OK);
    s->settings.has_recursors = s->settings.truncates = s->settings.only_passing = true;
    s->settings.node_ttl_s = 5;
    s->settings.udp_answer_limit = 8;
    s->settings.soa_min_ttl_s = 30;
    dns_settings_add_ttl(&s->settings, "*", 7);
    dns_settings_add_ttl(&s->settings, "web", 11);
    dns_settings_add_ttl(&s->settings, "ma*", 13);
    for (size_t i = 0; i < CU_COUNT(texts); i++)
        values[i] = cu_bytes_of(texts[i]);
    dns_view_put_node(s->view, node_key("ext1"),
                      &(struct dns_node_facts){.name = "ext1",
                                               .address = "10.9.9.1",
                                               .texts = values,
                                               .text_count = CU_COUNT(values)});
    return s;
}

void sample_free(struct sample *s)
{
    dns_view_free(s->view);
    dns_scratch_free(s->scratch);
    dns_settings_deinit(&s->settings);
    cu_arena_free(s->arena);
    free(s);
}

/* ---- asking ---- */

static void u16(struct cu_buf *out, unsigned v)
{
    cu_buf_u8(out, (uint8_t)(v >> 8));
    cu_buf_u8(out, (uint8_t)v);
}

void sample_reply(struct cu_buf *out, struct cu_bytes query, enum dns_rcode rcode,
                  const char *const *ips, size_t count)
{
    struct dns_name name;
    struct cu_reader r = cu_reader_of(query);
    (void)cu_read_bytes(&r, DNS_HEADER_BYTES);
    CU_ASSERT(dns_name_read(&r, query, false, &name));
    cu_buf_append(out, query.data, 2);
    u16(out, DNS_QR | DNS_RD | DNS_RA | rcode);
    u16(out, 1);
    u16(out, (unsigned)count);
    u16(out, 0);
    u16(out, 0);
    cu_buf_append(out, query.data + DNS_HEADER_BYTES, name.len + DNS_QUESTION_BYTES);
    for (size_t i = 0; i < count; i++) {
        uint8_t ip[4];
        CU_ASSERT(inet_pton(AF_INET, ips[i], ip) == 1);
        u16(out, 0xc000 | DNS_HEADER_BYTES);
        u16(out, DNS_A);
        u16(out, DNS_IN);
        u16(out, 0);
        u16(out, 300);
        u16(out, sizeof ip);
        cu_buf_append(out, ip, sizeof ip);
    }
}

static void chase(struct sample *s)
{
    static const char *const ips[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4",
                                      "192.0.2.5", "192.0.2.6", "192.0.2.7"};
    struct dns_name zone = message_name("example.test");
    for (size_t i = 0; i < s->chase.count; i++) {
        uint8_t query[DNS_CHASE_QUERY_BYTES];
        struct cu_buf reply = {0};
        struct dns_chased *chased = &s->chase.names[i];
        if (chased->is_done)
            continue;
        bool knows = dns_name_find_end(&chased->name, &zone) >= 0;
        size_t len = dns_chase_question(chased, 1, query);
        sample_reply(&reply, (struct cu_bytes){query, len}, knows ? DNS_NOERROR : DNS_NXDOMAIN, ips,
                     knows ? CU_COUNT(ips) : 0);
        CU_ASSERT(dns_chase_take(chased, cu_buf_bytes(&reply), s->arena) == CU_OK);
        cu_buf_deinit(&reply);
    }
}

void sample_answer(struct sample *s, const struct dns_query *query, enum dns_transport transport)
{
    s->chase.count = 0;
    cu_arena_reset(s->arena);
    struct dns_ask ask = {.zone = &s->zone,
                          .settings = &s->settings,
                          .view = s->view,
                          .query = query,
                          .transport = transport,
                          .now_s = s->now_s,
                          .random = {cu_random_u64(&s->random)},
                          .chase = &s->chase,
                          .scratch = s->scratch};
    int rounds = 0;
    for (;;) {
        s->answer = dns_answer(&ask, &s->writer, s->data);
        if (s->answer.outcome != DNS_WANTS)
            break;
        CU_ASSERT(++rounds < ROUNDS_MAX);
        chase(s);
    }
}

void sample_ask(struct sample *s, const char *question, const char *options)
{
    struct cu_buf bytes = {0};
    message_ask(&bytes, question, options);
    CU_ASSERT(dns_query_parse(cu_buf_bytes(&bytes), &s->query) == DNS_GOOD);
    cu_buf_deinit(&bytes);
    sample_answer(s, &s->query, strstr(options, "+tcp") ? DNS_OVER_TCP : DNS_OVER_UDP);
    if (s->answer.outcome == DNS_ANSWERED)
        CU_ASSERT(message_read((struct cu_bytes){s->data, s->writer.len}, &s->message));
}
