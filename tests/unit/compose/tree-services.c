/* SPDX-License-Identifier: MIT */
#include "tree-helper.h"

#define UNITS "/etc/systemd/system"

static const char *const nginx_exec[] = {"/usr/sbin/nginx", "-g", "daemon off;", "it's", NULL};
static const char *const nginx_after[] = {"net", "db"};
static const char *const nginx_environment[] = {"LANG=C", "QUOTED=a'b\"c$d%e"};
static const char *const db_exec[] = {"/usr/bin/db", NULL};

typedef struct fixture {
	world *w;
	compose_service services[3];
	compose_hardening drop;
} fixture;

static fixture begin(const char *init)
{
	static const compose_user user = {.name = "db", .uid = 1000, .gid = 1000, .home = "/"};
	static const char *const words[] = {"net_raw", "CAP_SYS_ADMIN"};
	fixture f = {.w = world_new()};

	component(f.w, "base", COMPOSE_BASE_OS)->init = init;
	component(f.w, "web", COMPOSE_SERVICE);
	f.w->manifests[1].users = &user;
	f.w->manifests[1].user_count = 1;
	f.services[0] = (compose_service){.name = "nginx",
		.exec = nginx_exec,
		.after = nginx_after,
		.after_count = 2,
		.restart = "always",
		.stop = "QUIT",
		.environment = nginx_environment,
		.environment_count = 2,
		.ready = {.kind = COMPOSE_CHECK_TCP, .target = "80", .within = 10000000000},
		.place = {"web.json", 3, 1}};
	f.services[1] = (compose_service){.name = "db",
		.exec = db_exec,
		.restart = "on-failure",
		.user = "db",
		.directory = "/var/lib/db",
		.place = {"web.json", 5, 1}};
	f.drop = (compose_hardening){.act = COMPOSE_DROP_CAPS,
		.name = "nginx",
		.words = words,
		.word_count = 2,
		.place = {"web.json", 8, 1}};
	return f;
}

static void use(fixture *f, size_t count)
{
	f->w->manifests[1].services = f->services;
	f->w->manifests[1].service_count = count;
	f->w->manifests[1].hardening = &f->drop;
	f->w->manifests[1].hardening_count = 1;
}

Test(services, become_lines_of_inittab_in_order)
{
	fixture f = begin("busybox");

	use(&f, 2);
	merges(f.w);
	cr_assert_str_eq(text_of(f.w, "/etc/inittab"), "# Made by hypernix.\n"
						       "::sysinit:/lib/hypernix/boot\n"
						       "::once:/lib/hypernix/services/db\n"
						       "::respawn:/lib/hypernix/services/nginx\n"
						       "::once:/lib/hypernix/ready\n"
						       "::ctrlaltdel:/sbin/poweroff\n"
						       "::shutdown:/lib/hypernix/shutdown\n");
	world_free(f.w);
}

Test(services, become_files_for_the_supervisor)
{
	fixture f = begin("busybox");

	use(&f, 2);
	merges(f.w);
	cr_assert_eq(at(f.w, "/lib/hypernix/services/nginx")->entry.mode, 0755);
	cr_assert_eq(at(f.w, "/lib/hypernix/services/nginx")->owner, 1);
	cr_assert_str_eq(text_of(f.w, "/lib/hypernix/services/nginx"),
		"#!/bin/sh\n"
		"# The service nginx of web; made by hypernix.\n"
		"name='nginx'\n"
		"after='net db'\n"
		"restart='always'\n"
		"stop='QUIT'\n"
		"user=''\n"
		"directory='/'\n"
		"drop='-net_raw,-sys_admin'\n"
		"within=10000\n"
		"ready() {\n"
		"\t/lib/hypernix/probe tcp '80'\n"
		"}\n"
		"set -- /bin/busybox env 'LANG=C' 'QUOTED=a'\\''b\"c$d%e' '/usr/sbin/nginx' '-g' 'daemon off;' 'it'\\''s'\n"
		". /lib/hypernix/supervise\n");
	cr_assert_str_eq(text_of(f.w, "/lib/hypernix/services/db"),
		"#!/bin/sh\n"
		"# The service db of web; made by hypernix.\n"
		"name='db'\n"
		"after=''\n"
		"restart='on-failure'\n"
		"stop='TERM'\n"
		"user='db'\n"
		"directory='/var/lib/db'\n"
		"drop=''\n"
		"within=0\n"
		"ready() {\n"
		"\ttrue\n"
		"}\n"
		"set -- '/usr/bin/db'\n"
		". /lib/hypernix/supervise\n");
	world_free(f.w);
}

Test(services, become_units_of_systemd)
{
	fixture f = begin("systemd");

	use(&f, 2);
	merges(f.w);
	cr_assert_str_eq(text_of(f.w, UNITS "/nginx.service"),
		"# Made by hypernix.\n"
		"[Unit]\n"
		"Description=The service nginx of web\n"
		"StartLimitIntervalSec=0\n"
		"After=network-online.target\n"
		"Wants=network-online.target\n"
		"After=db.service\n"
		"\n"
		"[Service]\n"
		"Type=exec\n"
		"ExecStart=\"/usr/sbin/nginx\" \"-g\" \"daemon off;\" \"it's\"\n"
		"ExecStartPost=/lib/hypernix/probe --within 10000 tcp \"80\"\n"
		"TimeoutStartSec=11000ms\n"
		"Restart=always\n"
		"RestartSec=1\n"
		"KillSignal=SIGQUIT\n"
		"Environment=\"LANG=C\"\n"
		"Environment=\"QUOTED=a'b\\\"c$d%%e\"\n"
		"CapabilityBoundingSet=~CAP_NET_RAW CAP_SYS_ADMIN\n"
		"LimitNOFILE=65536\n"
		"LimitCORE=0\n"
		"\n"
		"[Install]\n"
		"WantedBy=multi-user.target\n");
	cr_assert_str_eq(text_of(f.w, UNITS "/db.service"), "# Made by hypernix.\n"
							    "[Unit]\n"
							    "Description=The service db of web\n"
							    "StartLimitIntervalSec=0\n"
							    "\n"
							    "[Service]\n"
							    "Type=exec\n"
							    "ExecStart=\"/usr/bin/db\"\n"
							    "Restart=on-failure\n"
							    "RestartSec=1\n"
							    "KillSignal=SIGTERM\n"
							    "User=db\n"
							    "NoNewPrivileges=yes\n"
							    "WorkingDirectory=/var/lib/db\n"
							    "LimitNOFILE=65536\n"
							    "LimitCORE=0\n"
							    "\n"
							    "[Install]\n"
							    "WantedBy=multi-user.target\n");
	cr_assert_str_eq(at(f.w, UNITS "/multi-user.target.wants/db.service")->entry.target,
		"../db.service");
	cr_assert(strstr(text_of(f.w, UNITS "/hypernix-ready.service"),
			  "After=db.service\nAfter=nginx.service\n") != NULL);
	world_free(f.w);
}

Test(services, quote_what_systemd_would_expand)
{
	static const char *const words[] = {"/bin/x", "$HOME%n\\\"", NULL};
	fixture f = begin("systemd");

	f.services[0].exec = words;
	f.services[0].after_count = 1;
	f.services[0].restart = "never";
	f.services[0].directory = "/a%b";
	f.services[0].ready =
		(compose_check){.kind = COMPOSE_CHECK_EXEC, .argv = words, .within = 1};
	use(&f, 1);
	merges(f.w);
	cr_assert(strstr(text_of(f.w, UNITS "/nginx.service"),
			  "ExecStart=\"/bin/x\" \"$$HOME%%n\\\\\\\"\"\n"
			  "ExecStartPost=/lib/hypernix/probe --within 1 exec \"/bin/x\" "
			  "\"$$HOME%%n\\\\\\\"\"\n") != NULL,
		"%s", text_of(f.w, UNITS "/nginx.service"));
	cr_assert(strstr(text_of(f.w, UNITS "/nginx.service"), "Restart=no\n") != NULL);
	cr_assert(strstr(text_of(f.w, UNITS "/nginx.service"), "WorkingDirectory=/a%%b\n") != NULL);
	world_free(f.w);
}

Test(services, have_other_readiness)
{
	fixture f = begin("busybox");

	f.services[0].after_count = 1;
	f.services[0].ready =
		(compose_check){.kind = COMPOSE_CHECK_EXEC, .argv = nginx_exec, .within = 1500000};
	use(&f, 1);
	merges(f.w);
	cr_assert(strstr(text_of(f.w, "/lib/hypernix/services/nginx"),
			  "within=2\nready() {\n\t/lib/hypernix/probe exec '/usr/sbin/nginx' '-g' "
			  "'daemon off;' 'it'\\''s'\n}\n") != NULL);
	world_free(f.w);
}

Test(services, refuse_two_of_one_name)
{
	fixture f = begin("busybox");

	f.services[1].name = "nginx";
	use(&f, 2);
	refuses(f.w, HN_ECONFLICT, "web.json:5:1: web and web both have a service nginx");
	world_free(f.w);
}

Test(services, refuse_a_circle)
{
	static const char *const after[] = {"nginx"};
	fixture f = begin("busybox");

	f.services[1].after = after;
	f.services[1].after_count = 1;
	use(&f, 2);
	refuses(f.w, HN_ECONFLICT, "starts, by others, after itself");
	world_free(f.w);
}

Test(services, refuse_to_wait_for_a_stranger)
{
	fixture f = begin("busybox");

	use(&f, 1);
	refuses(f.w, HN_EMISSING, "the service nginx starts after db, which no component has");
	world_free(f.w);
}

Test(services, refuse_an_unknown_user)
{
	fixture f = begin("busybox");

	f.services[1].user = "stranger";
	use(&f, 2);
	refuses(f.w, HN_EMISSING, "the service db runs as stranger");
	world_free(f.w);
}

Test(services, need_an_init)
{
	fixture f = begin(NULL);

	use(&f, 2);
	refuses(f.w, HN_EMISSING, "nothing starts the service db");
	use(&f, 0);
	merges(f.w);
	cr_assert_null(compose_tree_find(f.w->tree, "/etc/inittab"));
	f.w->manifests[0].init = "launchd";
	use(&f, 2);
	refuses(f.w, HN_EMISSING, "nothing starts");
	world_free(f.w);
}

Test(services, remark_capabilities_of_a_stranger)
{
	static const char *const bad[] = {"net-raw"};
	fixture f = begin("busybox");

	f.drop.name = "stranger";
	use(&f, 2);
	merges(f.w);
	cr_assert(remarked(f.w, "there is no service stranger"));
	f.drop.name = "nginx";
	f.drop.words = bad;
	f.drop.word_count = 1;
	refuses(f.w, HN_ESCHEMA, "no capability");
	world_free(f.w);
}

Test(services, may_lose_all_capabilities)
{
	static const char *const all[] = {"all"};
	fixture f = begin("systemd");

	f.drop.words = all;
	f.drop.word_count = 1;
	use(&f, 2);
	merges(f.w);
	cr_assert(strstr(text_of(f.w, UNITS "/nginx.service"), "CapabilityBoundingSet=\n") != NULL);
	f.w->manifests[0].init = "busybox";
	merges(f.w);
	cr_assert(strstr(text_of(f.w, "/lib/hypernix/services/nginx"), "drop='-all'\n") != NULL);
	world_free(f.w);
}

static void unwritable(void (*change)(compose_service *service))
{
	fixture f = begin("busybox");

	change(&f.services[1]);
	use(&f, 2);
	refuses(f.w, HN_ESCHEMA, "cannot be written");
	world_free(f.w);
}

static void bad_name(compose_service *s)
{
	s->name = "../x";
}
static void bad_word(compose_service *s)
{
	static const char *const words[] = {"/x", "a\nb", NULL};

	s->exec = words;
}
static void no_word(compose_service *s)
{
	s->exec = NULL;
}
static void bad_variable(compose_service *s)
{
	static const char *const words[] = {"A;reboot=1"};

	s->environment = words;
	s->environment_count = 1;
}
static void no_value(compose_service *s)
{
	static const char *const words[] = {"A"};

	s->environment = words;
	s->environment_count = 1;
}
static void bad_value(compose_service *s)
{
	static const char *const words[] = {"A1=\x1b"};

	s->environment = words;
	s->environment_count = 1;
}
static void bad_directory(compose_service *s)
{
	s->directory = "/\n";
}
static void bad_signal(compose_service *s)
{
	s->stop = "TERM;x";
}
static void bad_target(compose_service *s)
{
	s->ready.target = "8\n0";
}
static void bad_probe(compose_service *s)
{
	static const char *const words[] = {"\x7f", NULL};

	s->ready.argv = words;
}

Test(services, refuse_texts_that_would_be_something_else)
{
	static void (*const changes[])(compose_service *) = {bad_name, bad_word, no_word,
		bad_variable, no_value, bad_value, bad_directory, bad_signal, bad_target,
		bad_probe};

	for (size_t i = 0; i < BASE_COUNT(changes); i++)
		unwritable(changes[i]);
}

static bool is_letter(int byte)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static int with_service(const compose_service *service)
{
	world *w = world_new();
	int rc;

	component(w, "base", COMPOSE_BASE_OS)->init = "busybox";
	w->manifests[0].services = service;
	w->manifests[0].service_count = 1;
	rc = merge(w);
	world_free(w);
	return rc;
}

/* A name may begin with a letter or an underline, and go on with digits, whatever the locale. */
Test(services, have_variables_with_names_of_a_shell)
{
	for (int byte = 1; byte < 256; byte++) {
		const char first[] = {(char)byte, 'A', '=', '1', 0};
		const char second[] = {'A', (char)byte, '=', '1', 0};
		const char signal[] = {'A', (char)byte, 0};
		const char *const one[] = {first}, *const two[] = {second};
		compose_service service = {.name = "s",
			.exec = db_exec,
			.restart = "never",
			.place = {"web.json", 3, 1},
			.environment_count = 1};
		bool digit = byte >= '0' && byte <= '9';
		bool begins = is_letter(byte) || byte == '_';

		service.environment = one;
		cr_expect_eq(with_service(&service), begins ? 0 : HN_ESCHEMA, "%d first", byte);
		service.environment = two;
		cr_expect_eq(with_service(&service),
			begins || digit || byte == '=' ? 0 : HN_ESCHEMA, "%d second", byte);
		service.environment_count = 0;
		service.stop = signal;
		cr_expect_eq(with_service(&service),
			digit || (byte >= 'A' && byte <= 'Z') ? 0 : HN_ESCHEMA, "%d in a signal",
			byte);
	}
}

Test(services, have_no_signal_without_a_name)
{
	compose_service service = {.name = "s",
		.exec = db_exec,
		.restart = "never",
		.place = {"web.json", 3, 1},
		.stop = ""};

	cr_expect_eq(with_service(&service), HN_ESCHEMA);
	service.stop = "ABCDEFGHIJKLMNOP";
	cr_expect_eq(with_service(&service), HN_ESCHEMA);
	service.stop = "ABCDEFGHIJKLMNO";
	cr_expect_eq(with_service(&service), 0);
}

Test(services, lose_capabilities_by_name)
{
	for (int byte = 1; byte < 128; byte++) {
		char word[] = {'c', 'h', (char)byte, 'w', 0};
		const char *const words[] = {word};
		compose_hardening drop = {.act = COMPOSE_DROP_CAPS,
			.name = "s",
			.words = words,
			.word_count = 1,
			.place = {"web.json", 4, 1}};
		const compose_service service = {.name = "s",
			.exec = db_exec,
			.restart = "never",
			.place = {"web.json", 3, 1}};
		world *w = world_new();

		component(w, "base", COMPOSE_BASE_OS)->init = "systemd";
		w->manifests[0].services = &service;
		w->manifests[0].service_count = 1;
		w->manifests[0].hardening = &drop;
		w->manifests[0].hardening_count = 1;
		cr_expect_eq(merge(w), is_letter(byte) || byte == '_' ? 0 : HN_ESCHEMA, "%d", byte);
		world_free(w);
	}
}

/* As systemd-escape --path has it. */
static void expect_mount(const char *path, const char *unit)
{
	static const char *const words[] = {"nodev"};
	const compose_hardening act = {
		.act = COMPOSE_MOUNT, .path = path, .words = words, .word_count = 1};
	world *w = world_new();
	char file_of_unit[256];

	component(w, "base", COMPOSE_BASE_OS)->init = "systemd";
	directory(w, path, 0755);
	w->manifests[0].hardening = &act;
	w->manifests[0].hardening_count = 1;
	merges(w);
	snprintf(file_of_unit, sizeof(file_of_unit), UNITS "/%s", unit);
	cr_expect_not_null(compose_tree_find(w->tree, file_of_unit), "%s", file_of_unit);
	world_free(w);
}

Test(services, have_mounts_named_as_systemd_names_them)
{
	expect_mount("/AZaz09_:.x", "AZaz09_:.x.mount");
	expect_mount("/.x", "\\x2ex.mount");
	expect_mount("/a.b", "a.b.mount");
	expect_mount("/@[`{", "\\x40\\x5b\\x60\\x7b.mount");
	expect_mount("/-;", "\\x2d\\x3b.mount");
	expect_mount("/\xc3\xa4", "\\xc3\\xa4.mount");
}

Test(services, are_bounded)
{
	enum { MANY = 1025 };
	static compose_service services[MANY];
	static char names[MANY][8];
	world *w = world_new();

	component(w, "base", COMPOSE_BASE_OS)->init = "busybox";
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "s%d", i);
		services[i] = (compose_service){.name = names[i], .exec = db_exec};
	}
	w->manifests[0].services = services;
	w->manifests[0].service_count = MANY;
	refuses(w, HN_ELIMIT, "services of one image");
	world_free(w);
}

static void write_unit(const world *w, const char *directory, const char *name)
{
	const char *text;
	char path[256];

	snprintf(path, sizeof(path), UNITS "/%s", name);
	text = text_of(w, path);
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	OK(os_write_file(hn_os_real(), path, text, strlen(text), 0644, err));
}

/* What systemd itself makes of the units. */
Test(services, are_taken_by_systemd)
{
	static const char *const program[] = {"/bin/sh", "-c", "echo $HOME %n \"it's\"", NULL};
	static const char *const mounts[] = {"nodev", "nosuid"};
	char directory[] = "/tmp/hypernix-units-XXXXXX", command[512];
	fixture f = begin("systemd");
	compose_hardening acts[2] = {f.drop,
		{.act = COMPOSE_MOUNT, .path = "/var/my-data", .words = mounts, .word_count = 2}};

	if (system("command -v systemd-analyze >/dev/null") != 0)
		cr_skip_test("there is no systemd-analyze");
	f.services[0].exec = program;
	f.services[0].ready.within = 0;
	f.services[1].exec = program;
	f.services[1].user = NULL;
	f.services[1].directory = NULL;
	use(&f, 2);
	f.w->manifests[1].hardening = acts;
	f.w->manifests[1].hardening_count = 2;
	merges(f.w);
	cr_assert_not_null(mkdtemp(directory));
	write_unit(f.w, directory, "nginx.service");
	write_unit(f.w, directory, "db.service");
	write_unit(f.w, directory, "var-my\\x2ddata.mount");
	snprintf(command, sizeof(command),
		"cd %s && SYSTEMD_UNIT_PATH=%s: systemd-analyze verify ./*.service ./*.mount >out 2>&1 "
		"&& ! grep -v '^$' out",
		directory, directory);
	cr_assert_eq(system(command), 0);
	OK(os_remove_tree(hn_os_real(), directory, err));
	world_free(f.w);
}

/* --- checks of contracts --- */

static const char contract_text[] =
	"{ \"hypernix\": 1, \"contract\": \"service/http\", \"version\": \"1.2.0\",\n"
	"  \"cardinality\": \"many\", \"fields\": { \"port\": { \"type\": \"uint\", \"min\": 1, "
	"\"max\": 65535 } },\n"
	"  \"checks\": [ { \"tcp\": \"$port\", \"within\": \"10s\" },\n"
	"              { \"exec\": [\"/bin/ask\", \"it's\"], \"within\": \"1s\" } ] }\n";
static const char manifest_text[] =
	"{ \"hypernix\": 1, \"component\": \"web\", \"version\": \"1.0.0\", \"kind\": \"service\",\n"
	"  \"provides\": [ { \"contract\": \"service/http\", \"version\": \"1.2.0\", \"fields\": "
	"{ \"port\": 8080 } },\n"
	"                { \"contract\": \"service/other\", \"version\": \"1.0.0\" } ] }\n";

Test(checks, are_written_for_the_guest)
{
	const compose_contract *contracts[2] = {NULL, NULL};
	compose_contract *contract = NULL;
	compose_manifest *manifest = NULL;
	world *w = world_new();

	OK(compose_contract_parse("c.json", contract_text, strlen(contract_text), &contract, err));
	OK(compose_manifest_parse("m.json", manifest_text, strlen(manifest_text), &manifest, err));
	contracts[0] = contract;
	component(w, "base", COMPOSE_BASE_OS)->init = "busybox";
	w->parts[w->count++] = (compose_part){.manifest = manifest, .contracts = contracts};
	merges(w);
	cr_assert_str_eq(text_of(w, "/lib/hypernix/checks"),
		"check 'service/http' '1.2.0' 10000 tcp '8080'\n"
		"check 'service/http' '1.2.0' 1000 exec '/bin/ask' 'it'\\''s'\n");
	w->parts[1].contracts = NULL;
	merges(w);
	cr_assert_str_eq(text_of(w, "/lib/hypernix/checks"), "");
	compose_contract_unref(contract);
	compose_manifest_unref(manifest);
	world_free(w);
}
