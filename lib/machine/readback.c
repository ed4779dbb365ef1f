/* SPDX-License-Identifier: MIT
 *
 * Domain XML of a driver, read back and judged by meaning: canonical values of our keys. The
 * parser gets no network, no DTD and no entities.
 */
#include "machine/driver.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>

BASE_AUTO(xmlDoc, xmlFreeDoc)

static void quiet(void *arg, const char *format, ...)
{
	(void)arg;
	(void)format;
}

static xmlDoc *read_doc(const char *xml, size_t size)
{
	xmlParserCtxt *context = xmlNewParserCtxt();
	xmlDoc *doc;

	if (context == NULL)
		return NULL;
	if (context->sax != NULL) {
		context->sax->warning = quiet;
		context->sax->error = quiet;
		context->sax->fatalError = quiet;
	}
	doc = xmlCtxtReadMemory(context, xml, (int)size, "domain", NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS |
			XML_PARSE_NOCDATA | XML_PARSE_COMPACT);
	xmlFreeParserCtxt(context);
	/* A document type could hold entities; no driver writes one. */
	if (doc != NULL && (doc->intSubset != NULL || xmlDocGetRootElement(doc) == NULL)) {
		xmlFreeDoc(doc);
		doc = NULL;
	}
	return doc;
}

static bool named(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static const xmlNode *child(const xmlNode *node, const char *name)
{
	for (const xmlNode *c = node == NULL ? NULL : node->children; c != NULL; c = c->next)
		if (named(c, name))
			return c;
	return NULL;
}

/* The value of an attribute as one borrowed piece; "" when it is absent or empty. */
static const char *attribute(const xmlNode *node, const char *name)
{
	for (const xmlAttr *a = node == NULL ? NULL : node->properties; a != NULL; a = a->next)
		if (strcmp((const char *)a->name, name) == 0 && a->children != NULL &&
			a->children->type == XML_TEXT_NODE && a->children->content != NULL)
			return (const char *)a->children->content;
	return "";
}

static const char *content(const xmlNode *node)
{
	for (const xmlNode *c = node == NULL ? NULL : node->children; c != NULL; c = c->next)
		if (c->type == XML_TEXT_NODE && c->content != NULL)
			return (const char *)c->content;
	return "";
}

static bool whole_number(const char *text, uint64_t *number)
{
	char *end;
	unsigned long long value;

	if (text[0] < '0' || text[0] > '9')
		return false;
	value = strtoull(text, &end, 10);
	if (*end != '\0')
		return false;
	*number = value;
	return true;
}

static char *keep(machine_domain *domain, const char *text)
{
	return base_arena_strndup(domain->arena, text, strlen(text));
}

/* Values are kept as the key's row prints them; what the row refuses is kept as it is, so that it
 * shows as a difference. */
static int put(machine_domain *domain, const char *key, const char *value)
{
	const hn_key *row = hn_key_find(key);
	char *canonical = NULL;
	char *kept;

	if (row != NULL && hn_key_parse(row, value, &canonical, NULL) == 0) {
		kept = keep(domain, canonical);
		hn_text_free(canonical);
	} else {
		kept = keep(domain, value);
	}
	if (kept == NULL)
		return HN_ENOMEM;
	return base_map_put(domain->values, key, strlen(key), kept);
}

static int put_number(machine_domain *domain, const char *key, uint64_t number, const char *suffix)
{
	char text[48];

	snprintf(text, sizeof(text), "%llu%s", (unsigned long long)number, suffix);
	return put(domain, key, text);
}

/* libvirt prints memory in KiB, but takes other units. */
static bool memory_bytes(const xmlNode *node, uint64_t *bytes)
{
	const char *unit = attribute(node, "unit");
	uint64_t number, factor = 1024;

	if (node == NULL || !whole_number(content(node), &number))
		return false;
	if (strcmp(unit, "MiB") == 0)
		factor = UINT64_C(1) << 20;
	else if (strcmp(unit, "GiB") == 0)
		factor = UINT64_C(1) << 30;
	else if (strcmp(unit, "b") == 0 || strcmp(unit, "bytes") == 0)
		factor = 1;
	return !__builtin_mul_overflow(number, factor, bytes);
}

static int read_identity(machine_domain *domain, const xmlNode *root)
{
	const xmlNode *meta = child(root, "metadata");
	uint64_t number;

	domain->name = keep(domain, content(child(root, "name")));
	domain->uuid = keep(domain, content(child(root, "uuid")));
	domain->digest = "";
	domain->meta_uuid = "";
	for (const xmlNode *c = meta == NULL ? NULL : meta->children; c != NULL; c = c->next) {
		if (!named(c, "unit") || c->ns == NULL || c->ns->href == NULL ||
			strcmp((const char *)c->ns->href, MACHINE_URN) != 0)
			continue;
		domain->ours = true;
		domain->digest = keep(domain, attribute(c, "digest"));
		domain->meta_uuid = keep(domain, attribute(c, "uuid"));
		if (whole_number(attribute(c, "generation"), &number))
			domain->generation = number;
		if (whole_number(attribute(c, "units"), &number) && number <= UINT32_MAX)
			domain->units = (uint32_t)number;
		if (whole_number(attribute(c, "limit"), &number) && number <= UINT32_MAX)
			domain->limit = (uint32_t)number;
		if (whole_number(attribute(c, "sn"), &number) && number <= INT64_MAX)
			domain->sn = (int64_t)number;
	}
	return domain->name == NULL || domain->uuid == NULL || domain->digest == NULL ||
			       domain->meta_uuid == NULL
		       ? HN_ENOMEM
		       : 0;
}

static int read_compute(machine_domain *domain, const xmlNode *root)
{
	const xmlNode *vcpu = child(root, "vcpu"), *cpu = child(root, "cpu");
	const xmlNode *topology = child(cpu, "topology"), *model = child(cpu, "model");
	uint64_t most, now;
	int result = 0;

	if (domain->units != 0)
		result = put_number(domain, "compute.units", domain->units, "");
	if (result == 0 && domain->ours)
		result = domain->limit != 0 ? put_number(domain, "compute.limit", domain->limit, "")
					    : put(domain, "compute.limit", "none");
	if (result == 0 && vcpu != NULL && whole_number(content(vcpu), &most)) {
		if (!whole_number(attribute(vcpu, "current"), &now))
			now = most;
		result = put_number(domain, "compute.vcpus", now, "");
		if (result == 0)
			result = put_number(domain, "compute.vcpus-max", most, "");
	}
	if (result == 0 && strcmp(attribute(cpu, "mode"), "host-model") == 0)
		result = put(domain, "cpu.model", "auto");
	else if (result == 0 && model != NULL)
		result = put(domain, "cpu.model", content(model));
	if (result == 0 && topology != NULL) {
		char text[100];

		snprintf(text, sizeof(text), "%.20sx%.20sx%.20s", attribute(topology, "sockets"),
			attribute(topology, "cores"), attribute(topology, "threads"));
		result = put(domain, "cpu.topology", text);
	}
	return result;
}

static int read_memory(machine_domain *domain, const xmlNode *root)
{
	const xmlNode *balloon = child(child(root, "devices"), "memballoon");
	bool off = balloon == NULL || strcmp(attribute(balloon, "model"), "none") == 0;
	uint64_t bytes;
	int result = 0;

	/* Without a balloon nothing can grow, and the definition knows no maximum. */
	if (!off && memory_bytes(child(root, "memory"), &bytes))
		result = put_number(domain, "memory.max", bytes, "B");
	if (result == 0 && memory_bytes(child(root, "currentMemory"), &bytes))
		result = put_number(domain, "memory.size", bytes, "B");
	if (result == 0)
		result = put(domain, "memory.balloon", off ? "off" : "manual");
	if (result == 0)
		result = put(domain, "memory.share",
			child(child(root, "memoryBacking"), "nosharepages") != NULL ? "false"
										    : "true");
	return result;
}

/* "pc-q35-7.2" -> q35, "pc-i440fx-7.2" -> pc, "microvm" -> microvm. */
static const char *board_of(const char *type)
{
	if (strstr(type, "q35") != NULL)
		return "q35";
	return strncmp(type, "microvm", 7) == 0 ? "microvm" : "pc";
}

static int read_cmdline(machine_domain *domain, const char *line)
{
	const char *mark = strstr(line, MACHINE_TUNED_MARK);
	size_t size = mark == NULL ? strlen(line) : (size_t)(mark - line);
	char *own;

	while (size > 0 && line[size - 1] == ' ')
		size--;
	own = base_arena_strndup(domain->arena, line, size);
	return own == NULL ? HN_ENOMEM : put(domain, "boot.cmdline", own);
}

static int read_boot(machine_domain *domain, const xmlNode *root)
{
	const xmlNode *os = child(root, "os");
	const xmlNode *kernel = child(os, "kernel"), *initrd = child(os, "initrd");
	int result;

	domain->machine = keep(domain, attribute(child(os, "type"), "machine"));
	if (domain->machine == NULL)
		return HN_ENOMEM;
	result = put(domain, "machine.type", board_of(domain->machine));
	if (result == 0)
		result = put(domain, "boot.kernel", kernel == NULL ? "image" : content(kernel));
	if (result == 0)
		result = put(domain, "boot.initrd", initrd == NULL ? "image" : content(initrd));
	if (result == 0)
		result = read_cmdline(domain, content(child(os, "cmdline")));
	if (result == 0)
		result = put(domain, "firmware",
			strcmp(attribute(os, "firmware"), "efi") == 0 ||
					strcmp(attribute(child(os, "loader"), "type"), "pflash") ==
						0
				? "ovmf"
				: "seabios");
	return result;
}

/* The unit's name of a device: what follows ua-disk- or ua-nic- in its alias; NULL when it is not
 * ours. */
static const char *alias_name(const xmlNode *device, const char *prefix)
{
	const char *alias = attribute(child(device, "alias"), "name");
	size_t size = strlen(prefix);

	return strncmp(alias, prefix, size) == 0 &&
			       base_name_valid(alias + size, strlen(alias + size))
		       ? alias + size
		       : NULL;
}

static int put_part(machine_domain *domain, const char *kind, const char *name, const char *leaf,
	const char *value)
{
	char key[160];

	snprintf(key, sizeof(key), "%s.%s.%s", kind, name, leaf);
	return put(domain, key, value);
}

/* The root port a device sits on; for SCSI its unit number. Reverses what xml.c writes. */
static unsigned long device_slot(const machine_domain *domain, const xmlNode *device)
{
	const xmlNode *address = child(device, "address");
	unsigned long bus = strtoul(attribute(address, "bus"), NULL, 0);
	unsigned long slot = strtoul(attribute(address, "slot"), NULL, 0);

	if (strcmp(attribute(address, "type"), "drive") == 0)
		return strtoul(attribute(address, "unit"), NULL, 0);
	if (strcmp(attribute(address, "type"), "pci") != 0)
		return 0;
	if (domain->machine != NULL && strcmp(board_of(domain->machine), "pc") == 0)
		return slot > 7 ? slot - 7 : 0;
	return bus;
}

static int read_disk(machine_domain *domain, const xmlNode *disk, base_buf *addresses)
{
	const char *name = alias_name(disk, "ua-disk-");
	const char *cache = attribute(child(disk, "driver"), "cache");
	const xmlNode *tune = child(disk, "iotune");
	uint64_t number;
	int result;

	if (name == NULL)
		return 0;
	base_buf_format(addresses, "%s\"disk.%s\":%lu", addresses->size == 1 ? "" : ",", name,
		device_slot(domain, disk));
	result =
		put_part(domain, "disks", name, "source", attribute(child(disk, "source"), "file"));
	if (result == 0)
		result = put_part(
			domain, "disks", name, "bus", attribute(child(disk, "target"), "bus"));
	if (result == 0)
		result = put_part(
			domain, "disks", name, "format", attribute(child(disk, "driver"), "type"));
	if (result == 0)
		result = put_part(
			domain, "disks", name, "cache", cache[0] == '\0' ? "writeback" : cache);
	if (result == 0)
		result =
			whole_number(content(child(tune, "total_iops_sec")), &number) && number != 0
				? put_number(domain, "storage.iops", number, "")
				: put(domain, "storage.iops", "none");
	if (result == 0)
		result = whole_number(content(child(tune, "total_bytes_sec")), &number) &&
					 number != 0
				 ? put_number(domain, "storage.bandwidth", number, "B/s")
				 : put(domain, "storage.bandwidth", "none");
	return result;
}

static int read_nic(machine_domain *domain, const xmlNode *nic, base_buf *addresses)
{
	const char *name = alias_name(nic, "ua-nic-");
	const char *type = attribute(nic, "type");
	const char *mtu = attribute(child(nic, "mtu"), "size");
	uint64_t rate;
	int result;

	if (name == NULL)
		return 0;
	base_buf_format(addresses, "%s\"nic.%s\":%lu", addresses->size == 1 ? "" : ",", name,
		device_slot(domain, nic));
	result = put_part(
		domain, "nics", name, "kind", strcmp(type, "ethernet") == 0 ? "tap" : type);
	if (result == 0)
		result = put_part(
			domain, "nics", name, "mac", attribute(child(nic, "mac"), "address"));
	if (result == 0)
		result = put_part(domain, "nics", name, "bridge",
			strcmp(type, "bridge") == 0 ? attribute(child(nic, "source"), "bridge")
						    : "none");
	if (result == 0 && mtu[0] != '\0')
		result = put_part(domain, "nics", name, "mtu", mtu);
	if (result == 0 &&
		whole_number(
			attribute(child(child(nic, "bandwidth"), "inbound"), "average"), &rate) &&
		rate != 0 && rate < UINT64_MAX / 1024)
		result = put_number(domain, "network.bandwidth", rate * 1024, "B/s");
	return result;
}

static bool is_port(const xmlNode *controller)
{
	return strcmp(attribute(controller, "type"), "pci") == 0 &&
	       strcmp(attribute(controller, "model"), "pcie-root-port") == 0;
}

/* Ours: somebody may have attached another. */
static bool is_rng(const xmlNode *device)
{
	return named(device, "rng") &&
	       strcmp(attribute(child(device, "alias"), "name"), "ua-rng") == 0;
}

/* The disk that is a descriptor of ours, whatever is behind it. */
static bool is_secrets(const xmlNode *device)
{
	return named(device, "disk") &&
	       strcmp(attribute(child(device, "alias"), "name"), "ua-secrets") == 0 &&
	       strcmp(attribute(child(device, "source"), "fdgroup"), MACHINE_SECRETS) == 0;
}

static bool is_serial(const xmlNode *device)
{
	return named(device, "controller") &&
	       strcmp(attribute(device, "type"), "virtio-serial") == 0 &&
	       strcmp(attribute(device, "index"), "0") == 0;
}

/* Slots of what has one only because it was plugged in, or by an older definition. */
static void read_slots(machine_domain *domain, const xmlNode *devices, base_buf *addresses)
{
	uint64_t index;
	unsigned long slot;

	for (const xmlNode *c = devices == NULL ? NULL : devices->children; c != NULL;
		c = c->next) {
		const char *name = named(c, "rng")    ? "rng"
				   : named(c, "disk") ? "secrets"
						      : "serial";

		if (named(c, "controller") && is_port(c) &&
			whole_number(attribute(c, "index"), &index) && index < 256 &&
			index > domain->ports)
			domain->ports = (uint32_t)index;
		if (!is_rng(c) && !is_serial(c) && !is_secrets(c))
			continue;
		slot = device_slot(domain, c);
		if (slot == 0 || slot > 255)
			continue;
		if (named(c, "rng"))
			domain->rng_slot = (uint32_t)slot;
		base_buf_format(
			addresses, "%s\"%s\":%lu", addresses->size == 1 ? "" : ",", name, slot);
	}
}

static int read_devices(machine_domain *domain, const xmlNode *root)
{
	const xmlNode *devices = child(root, "devices");
	const xmlNode *watchdog = child(devices, "watchdog");
	BASE_AUTO_BUF base_buf addresses = {0};
	int result = put(domain, "console", child(devices, "serial") == NULL ? "none" : "serial");
	bool channel = false;

	base_buf_text(&addresses, "{");
	read_slots(domain, devices, &addresses);
	if (result == 0)
		result = put(domain, "rng", child(devices, "rng") == NULL ? "off" : "urandom");
	if (result == 0)
		result = put(domain, "watchdog",
			watchdog == NULL ? "off" : attribute(watchdog, "action"));
	for (const xmlNode *c = devices == NULL ? NULL : devices->children;
		c != NULL && result == 0; c = c->next) {
		if (is_secrets(c))
			result = put(domain, "secrets", MACHINE_SECRETS);
		else if (named(c, "disk"))
			result = read_disk(domain, c, &addresses);
		else if (named(c, "interface"))
			result = read_nic(domain, c, &addresses);
		else if (named(c, "channel") &&
			 strcmp(attribute(child(c, "target"), "name"), MACHINE_PORT) == 0)
			channel = true;
	}
	base_buf_text(&addresses, "}");
	if (result == 0)
		result = put(domain, "agent.channel", channel ? "true" : "false");
	if (result == 0 && addresses.failed)
		result = HN_ENOMEM;
	if (result == 0)
		domain->addresses =
			base_arena_strndup(domain->arena, addresses.data, addresses.size);
	return result == 0 && domain->addresses == NULL ? HN_ENOMEM : result;
}

static int read_all(machine_domain *domain, const xmlNode *root)
{
	int result = read_identity(domain, root);

	if (result == 0)
		result = read_compute(domain, root);
	if (result == 0)
		result = read_memory(domain, root);
	if (result == 0)
		result = read_boot(domain, root);
	if (result == 0)
		result = read_devices(domain, root);
	return result;
}

int machine_domain_parse(const char *xml, size_t size, machine_domain **out, hn_error **err)
{
	BASE_AUTO_OF(xmlDoc) xmlDoc *doc = NULL;
	base_arena *arena;
	machine_domain *domain;
	int result;

	if (base_limit_check(BASE_LIMIT_XML_BYTES, size, err) < 0)
		return HN_ELIMIT;
	doc = read_doc(xml, size);
	if (doc == NULL || !named(xmlDocGetRootElement(doc), "domain"))
		return HN_CORRUPT(err, MACHINE_ROOM, "a domain's XML cannot be read");
	arena = base_arena_new();
	if (arena == NULL)
		return base_nomem(err);
	domain = base_arena_alloc(arena, sizeof(*domain));
	if (domain != NULL) {
		domain->arena = arena;
		domain->values = base_map_new(NULL);
	}
	if (domain == NULL || domain->values == NULL) {
		base_arena_free(arena);
		return base_nomem(err);
	}
	result = read_all(domain, xmlDocGetRootElement(doc));
	if (result < 0) {
		machine_domain_free(domain);
		return base_nomem(err);
	}
	*out = domain;
	return 0;
}

void machine_domain_free(machine_domain *domain)
{
	if (domain == NULL)
		return;
	base_map_free(domain->values);
	base_arena_free(domain->arena);
}

const char *machine_domain_value(const machine_domain *domain, const char *key)
{
	return base_map_get(domain->values, key, strlen(key));
}

/* Is there in `where` an element like `node`: same name, every attribute of ours, every child of
 * ours? */
static bool holds(const xmlNode *where, const xmlNode *node, const xmlNode **missing);

static bool like(const xmlNode *candidate, const xmlNode *node, const xmlNode **missing)
{
	if (!named(candidate, (const char *)node->name))
		return false;
	for (const xmlAttr *a = node->properties; a != NULL; a = a->next)
		if (strcmp((const char *)a->name, "machine") != 0 && /* made canonical */
			strcmp(attribute(candidate, (const char *)a->name),
				attribute(node, (const char *)a->name)) != 0)
			return false;
	for (const xmlNode *c = node->children; c != NULL; c = c->next)
		if (c->type == XML_ELEMENT_NODE && !holds(candidate, c, missing))
			return false;
	return content(node)[0] == '\0' || node->children->type != XML_TEXT_NODE ||
	       strcmp(content(candidate), content(node)) == 0;
}

static bool holds(const xmlNode *where, const xmlNode *node, const xmlNode **missing)
{
	const xmlNode *before = *missing;

	for (const xmlNode *c = where->children; c != NULL; c = c->next) {
		if (c->type == XML_ELEMENT_NODE && like(c, node, missing)) {
			*missing = before;
			return true;
		}
	}
	if (*missing == before)
		*missing = node; /* not a child of it: the element itself */
	return false;
}

int machine_domain_holds(const char *written, const char *read_back, hn_error **err)
{
	BASE_AUTO_OF(xmlDoc) xmlDoc *ours = read_doc(written, strlen(written));
	BASE_AUTO_OF(xmlDoc) xmlDoc *theirs = read_doc(read_back, strlen(read_back));
	const xmlNode *missing = NULL;

	if (ours == NULL || theirs == NULL)
		return HN_CORRUPT(err, MACHINE_ROOM, "a domain's XML cannot be read");
	for (const xmlNode *c = xmlDocGetRootElement(ours)->children; c != NULL; c = c->next) {
		if (c->type != XML_ELEMENT_NODE || holds(xmlDocGetRootElement(theirs), c, &missing))
			continue;
		base_error(err, HN_EXML, MACHINE_ROOM, NULL, "the driver dropped <%s> of <%s>",
			(const char *)missing->name, (const char *)c->name);
		base_error_fact(err, "element", (const char *)missing->name);
		return HN_EXML;
	}
	return 0;
}

/* A device of ours by kind and the unit's name for it; the rng is the only one and has no name. */
static bool is_device(const xmlNode *node, const char *kind, const char *name)
{
	const char *found;

	if (!named(node, kind))
		return false;
	if (strcmp(kind, "rng") == 0)
		return is_rng(node);
	found = alias_name(node, strcmp(kind, "disk") == 0 ? "ua-disk-" : "ua-nic-");
	return found != NULL && strcmp(found, name) == 0;
}

int machine_domain_device(
	const char *xml, const char *kind, const char *name, char **out, hn_error **err)
{
	BASE_AUTO_OF(xmlDoc) xmlDoc *doc = read_doc(xml, strlen(xml));
	const xmlNode *devices;

	if (doc == NULL)
		return HN_CORRUPT(err, MACHINE_ROOM, "a domain's XML cannot be read");
	devices = child(xmlDocGetRootElement(doc), "devices");
	for (xmlNode *c = devices == NULL ? NULL : devices->children; c != NULL; c = c->next) {
		xmlBuffer *buffer;

		if (!is_device(c, kind, name))
			continue;
		buffer = xmlBufferCreate();
		if (buffer == NULL)
			return base_nomem(err);
		if (xmlNodeDump(buffer, doc, c, 0, 0) > 0)
			*out = base_strdup((const char *)xmlBufferContent(buffer));
		else
			*out = NULL;
		xmlBufferFree(buffer);
		return *out == NULL ? base_nomem(err) : 0;
	}
	return base_error(
		err, HN_ENOENT, MACHINE_ROOM, NULL, "the domain has no %s '%s'", kind, name);
}
