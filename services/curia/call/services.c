#include "services/curia/call/services.h"

#include <string.h>

#include "curia/internal/v1/daemon.pb-c.h"
#include "curia/internal/v1/log.pb-c.h"
#include "curia/internal/v1/members.pb-c.h"
#include "curia/internal/v1/raft.pb-c.h"
#include "curia/internal/v1/state.pb-c.h"
#include "curia/v1/acl.pb-c.h"
#include "curia/v1/catalog.pb-c.h"
#include "curia/v1/config.pb-c.h"
#include "curia/v1/connect.pb-c.h"
#include "curia/v1/feed.pb-c.h"
#include "curia/v1/health.pb-c.h"
#include "curia/v1/kv.pb-c.h"
#include "curia/v1/status.pb-c.h"

#include "common/base/err.h"

/* clang-format off */
static const struct call_daemon daemons[] = {
    {"agentd",   {&curia__internal__v1__daemon__descriptor}},
    {"catalogd", {&curia__v1__acl__descriptor, &curia__v1__catalog__descriptor, &curia__v1__config__descriptor,
                  &curia__v1__connect_ca__descriptor, &curia__internal__v1__daemon__descriptor,
                  &curia__v1__feed__descriptor, &curia__v1__health__descriptor,
                  &curia__v1__intentions__descriptor, &curia__v1__kv__descriptor,
                  &curia__internal__v1__state__descriptor, &curia__v1__status__descriptor}},
    {"dnsd",     {&curia__internal__v1__daemon__descriptor}},
    {"xdsd",     {&curia__internal__v1__daemon__descriptor}},
    {"gossipd",  {&curia__internal__v1__daemon__descriptor, &curia__internal__v1__members__descriptor}},
    {"raftd",    {&curia__internal__v1__daemon__descriptor, &curia__internal__v1__log__descriptor,
                  &curia__internal__v1__raft__descriptor}},
};
/* clang-format on */

const struct call_daemon *call_daemon_find(const char *name)
{
    for (size_t i = 0; i < CU_COUNT(daemons); i++)
        if (!strcmp(daemons[i].name, name))
            return &daemons[i];
    return NULL;
}

const ProtobufCMethodDescriptor *call_method_find(const struct call_daemon *daemon,
                                                  const char *name,
                                                  const ProtobufCServiceDescriptor **ret_service)
{
    const char *dot = strchr(name, '.');
    for (size_t i = 0; dot && daemon->services[i]; i++) {
        const ProtobufCServiceDescriptor *service = daemon->services[i];
        size_t len = strlen(service->short_name);
        if ((size_t)(dot - name) != len || memcmp(service->short_name, name, len) != 0)
            continue;
        *ret_service = service;
        return protobuf_c_service_descriptor_get_method_by_name(service, dot + 1);
    }
    return NULL;
}

bool call_is_follow(const ProtobufCServiceDescriptor *service,
                    const ProtobufCMethodDescriptor *method)
{
    return service == &curia__v1__feed__descriptor && !strcmp(method->name, "Follow");
}
