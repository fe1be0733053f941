#include "common/service/definition.h"

#include <string.h>

#include "tests/lib/suite.h"

typedef Curia__V1__Upstream upstream_t;
typedef Curia__V1__ExposePath path_t;

static char *text(const char *given)
{
    return (char *)(uintptr_t)given;
}

/* A proxy that is well but for what a test changes. */
struct proxy {
    struct cu_arena *arena;
    Curia__V1__Service service;
    Curia__V1__Proxy proxy;
    Curia__V1__ExposeConfig expose;
    upstream_t upstreams[3], *upstream_list[3];
    path_t paths[2], *path_list[2];
};

static void set_up(struct proxy *p, const char *kind)
{
    p->arena = cu_arena_new(64 * 1024);
    curia__v1__service__init(&p->service);
    curia__v1__proxy__init(&p->proxy);
    curia__v1__expose_config__init(&p->expose);
    for (int i = 0; i < 3; i++) {
        curia__v1__upstream__init(&p->upstreams[i]);
        p->upstream_list[i] = &p->upstreams[i];
    }
    for (int i = 0; i < 2; i++) {
        curia__v1__expose_path__init(&p->paths[i]);
        p->path_list[i] = &p->paths[i];
    }
    p->proxy.upstreams = p->upstream_list;
    p->expose.paths = p->path_list;
    p->proxy.expose = &p->expose;
    p->service.proxy = &p->proxy;
    p->service.kind = text(kind);
    p->service.port = 1;
    if (strcmp(kind, "connect-proxy") == 0)
        p->proxy.destination_service_name = text("web");
}

static void finds(struct proxy *p, const char *want)
{
    const char *found;
    ck_assert_int_eq(cu_service_check(&p->service, p->arena, &found), CU_OK);
    if (!want)
        ck_assert_ptr_null(found);
    else
        ck_assert_str_eq(found ? found : "nothing", want);
    cu_arena_free(p->arena);
}

START_TEST(a_plain_service_and_a_whole_proxy_pass)
{
    struct proxy p;
    set_up(&p, "");
    p.service.port = 0;
    finds(&p, NULL);
    set_up(&p, "made-up");
    p.service.port = 0;
    finds(&p, NULL);
    set_up(&p, "connect-proxy");
    finds(&p, NULL);
    set_up(&p, "ingress-gateway");
    p.service.port = 0;
    finds(&p, NULL);
}
END_TEST

START_TEST(a_proxy_needs_a_destination_and_a_port_and_is_not_native)
{
    struct proxy p;
    Curia__V1__Connect native = CURIA__V1__CONNECT__INIT;
    set_up(&p, "connect-proxy");
    p.proxy.destination_service_name = text(" \t");
    p.service.port = 0;
    native.native = true;
    p.service.connect = &native;
    finds(&p, "3 errors occurred:\n"
              "\t* Proxy.DestinationServiceName must be non-empty for Connect proxy services\n"
              "\t* Port must be set for a Connect proxy\n"
              "\t* A Proxy cannot also be Connect Native, only typical services\n\n");
    set_up(&p, "connect-proxy");
    p.service.proxy = NULL;
    finds(&p, "1 error occurred:\n\t* Proxy.DestinationServiceName must be non-empty for Connect "
              "proxy services\n\n");
}
END_TEST

START_TEST(upstreams_are_whole_and_no_two_alike)
{
    struct proxy p;
    set_up(&p, "connect-proxy");
    p.proxy.n_upstreams = 3;
    p.upstreams[0].destination_type = text("x");
    p.upstreams[2].destination_name = text("db");
    finds(&p, "3 errors occurred:\n"
              "\t* unknown upstream destination type: \"x\"\n"
              "\t* upstream destination name cannot be empty\n"
              "\t* upstream local bind port cannot be zero\n\n");
    set_up(&p, "connect-proxy");
    p.proxy.n_upstreams = 3;
    for (int i = 0; i < 3; i++) {
        p.upstreams[i].destination_type = text("service");
        p.upstreams[i].destination_name = text(i < 2 ? "db" : "cache");
        p.upstreams[i].local_bind_port = 9191;
    }
    p.upstreams[2].local_bind_address = text("127.0.0.1"); /* what an empty one means */
    finds(&p, "2 errors occurred:\n"
              "\t* upstreams cannot contain duplicates of [type=\"service\", name=\"db\", "
              "namespace=\"\", datacenter=\"\"]\n"
              "\t* upstreams cannot contain duplicates by local bind address and port; "
              "\"127.0.0.1:9191\" is specified twice\n\n");
}
END_TEST

START_TEST(exposed_paths_are_whole_and_no_two_alike)
{
    struct proxy p;
    set_up(&p, "connect-proxy");
    p.expose.n_paths = 2;
    p.paths[0].path = p.paths[1].path = text("/m");
    p.paths[1].protocol = text("X");
    finds(&p, "5 errors occurred:\n"
              "\t* expose.paths: invalid listener port: 0\n"
              "\t* expose.paths: duplicate paths exposed\n"
              "\t* expose.paths: duplicate listener ports exposed\n"
              "\t* expose.paths: invalid listener port: 0\n"
              "\t* protocol 'x' not supported for path: /m, must be in: [http http2]\n\n");
    set_up(&p, "connect-proxy");
    p.expose.n_paths = 2;
    p.paths[0].listener_port = 65535;
    p.paths[1].listener_port = 65536;
    p.paths[0].path = text("/a");
    p.paths[0].protocol = text("HTTP2");
    finds(&p, "2 errors occurred:\n"
              "\t* expose.paths: empty path exposed\n"
              "\t* expose.paths: invalid listener port: 65536\n\n");
}
END_TEST

START_TEST(a_gateway_has_a_port_and_nothing_of_a_proxy)
{
    struct proxy p;
    set_up(&p, "mesh-gateway");
    p.service.port = 0;
    p.proxy.destination_service_name = p.proxy.destination_service_id = text("x");
    p.proxy.local_service_address = text("x");
    p.proxy.local_service_port = 1;
    p.proxy.n_upstreams = 1;
    finds(&p, "6 errors occurred:\n"
              "\t* Port must be non-zero for a mesh-gateway\n"
              "\t* The Proxy.DestinationServiceName configuration is invalid for a mesh-gateway\n"
              "\t* The Proxy.DestinationServiceID configuration is invalid for a mesh-gateway\n"
              "\t* The Proxy.LocalServiceAddress configuration is invalid for a mesh-gateway\n"
              "\t* The Proxy.LocalServicePort configuration is invalid for a mesh-gateway\n"
              "\t* The Proxy.Upstreams configuration is invalid for a mesh-gateway\n\n");
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    struct proxy p;
    const char *found = "untouched";
    set_up(&p, "connect-proxy");
    p.service.port = 0;
    cu_arena_set_limit(p.arena, 0);
    ck_assert_int_eq(cu_service_check(&p.service, p.arena, &found), CU_E_TOO_LARGE);
    cu_arena_free(p.arena);
}
END_TEST

START_TEST(weights_are_bounded)
{
    /* clang-format off */
    static const struct { int32_t passing, warning; const char *want; } cases[] = {
        {1, 0, NULL}, {65535, 65535, NULL},
        {0, 1, "Passing must be greater than 0"},
        {1, -1, "Warning must be greater or equal than 0"},
        {65536, 1, "DNS Weight must be between 0 and 65535"},
        {1, 65536, "DNS Weight must be between 0 and 65535"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Curia__V1__Weights weights = CURIA__V1__WEIGHTS__INIT;
        weights.passing = cases[i].passing;
        weights.warning = cases[i].warning;
        const char *got = cu_weights_check(&weights);
        ck_assert_str_eq(got ? got : "", cases[i].want ? cases[i].want : "");
    }
    ck_assert_ptr_null(cu_weights_check(NULL));
    ck_assert_ptr_null(cu_weights_check(cu_weights_default()));
    ck_assert_int_eq(cu_weights_default()->passing, 1);
    ck_assert_int_eq(cu_weights_default()->warning, 1);
}
END_TEST

START_TEST(an_address_of_all_of_a_host_is_known)
{
    ck_assert(cu_address_is_any("0.0.0.0") && cu_address_is_any("::") && cu_address_is_any("[::]"));
    ck_assert(!cu_address_is_any("") && !cu_address_is_any("10.0.0.1"));
}
END_TEST

SUITE_MAIN("common/service/definition", a_plain_service_and_a_whole_proxy_pass,
           a_proxy_needs_a_destination_and_a_port_and_is_not_native,
           upstreams_are_whole_and_no_two_alike, exposed_paths_are_whole_and_no_two_alike,
           a_gateway_has_a_port_and_nothing_of_a_proxy, a_full_arena_is_said, weights_are_bounded,
           an_address_of_all_of_a_host_is_known)
