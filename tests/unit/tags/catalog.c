/* SPDX-License-Identifier: MIT
 *
 * Catalogues: what declarations say together, and what contradicts.
 */
#include "tags/help.h"

Test(catalog_refuse, unknown_tag_of_unit)
{
	refuse_catalog(
		"{\"hypernix\":1,\"tags\":{\"web\":{}},\"units\":{\"u\":{\n\"tags\":[\"wep\"]}}}",
		HN_ENOENT, "a.json:2:9: there is no tag 'wep'", "web");
}

Test(catalog_refuse, unknown_policy_of_unit)
{
	refuse_catalog(
		"{\"hypernix\":1,\"policies\":{\"pol\":{}},\"units\":{\"u\":{\"policies\":[\"poll\"]}}}",
		HN_ENOENT, "no policy 'poll'", "pol");
}

Test(catalog_refuse, unknown_kind)
{
	refuse_catalog(
		"{\"hypernix\":1,\"kinds\":{\"env\":{}},\"tags\":{\"t\":{\"kind\":\"emv\"}}}",
		HN_ENOENT, "no kind 'emv'", "env");
}

Test(catalog_refuse, unknown_implied_tag)
{
	refuse_catalog("{\"hypernix\": 1, \"tags\": {\"t\": {\"implies\": [\"x\"]}}}", HN_ENOENT,
		"no tag 'x'", "declare");
}

Test(catalog_refuse, cycle_of_1)
{
	refuse_catalog("{\"hypernix\": 1, \"tags\": {\"a\": {\"implies\": [\"a\"]}}}", HN_ECYCLE,
		"tag 'a' implies itself", "take one");
}

Test(catalog_refuse, cycle_of_2)
{
	refuse_catalog(
		"{\"hypernix\":1,\"tags\":{\n\"a\":{\"implies\":[\"b\"]},\n\"b\":{\"implies\":[\"a\"]}}}",
		HN_ECYCLE, "tag:a implies b   a.json:2:17\n  tag:b implies a   a.json:3:17", NULL);
}

Test(catalog_refuse, cycle_of_5)
{
	refuse_catalog(
		"{\"hypernix\": 1, \"tags\": {\"a\": {\"implies\": [\"b\"]}, \"b\": {\"implies\": [\"c\"]}, \"c\": {\"implies\": [\"d\"]}, \"d\": {\"implies\": [\"e\"]}, \"e\": {\"implies\": [\"a\"]}}}",
		HN_ECYCLE, "tag:e implies a", NULL);
}

Test(catalog_refuse, chain_of_17)
{
	refuse_catalog(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"implies\": [\"t1\"]}, \"t1\": {\"implies\": [\"t2\"]}, \"t2\": {\"implies\": [\"t3\"]}, \"t3\": {\"implies\": [\"t4\"]}, \"t4\": {\"implies\": [\"t5\"]}, \"t5\": {\"implies\": [\"t6\"]}, \"t6\": {\"implies\": [\"t7\"]}, \"t7\": {\"implies\": [\"t8\"]}, \"t8\": {\"implies\": [\"t9\"]}, \"t9\": {\"implies\": [\"t10\"]}, \"t10\": {\"implies\": [\"t11\"]}, \"t11\": {\"implies\": [\"t12\"]}, \"t12\": {\"implies\": [\"t13\"]}, \"t13\": {\"implies\": [\"t14\"]}, \"t14\": {\"implies\": [\"t15\"]}, \"t15\": {\"implies\": [\"t16\"]}, \"t16\": {\"implies\": [\"t17\"]}, \"t17\": {}}}",
		HN_ELIMIT, "deeper than 16", NULL);
}

Test(catalog_refuse, implies_more_than_64)
{
	refuse_catalog(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {}, \"t1\": {}, \"t2\": {}, \"t3\": {}, \"t4\": {}, \"t5\": {}, \"t6\": {}, \"t7\": {}, \"t8\": {}, \"t9\": {}, \"t10\": {}, \"t11\": {}, \"t12\": {}, \"t13\": {}, \"t14\": {}, \"t15\": {}, \"t16\": {}, \"t17\": {}, \"t18\": {}, \"t19\": {}, \"t20\": {}, \"t21\": {}, \"t22\": {}, \"t23\": {}, \"t24\": {}, \"t25\": {}, \"t26\": {}, \"t27\": {}, \"t28\": {}, \"t29\": {}, \"t30\": {}, \"t31\": {}, \"t32\": {}, \"t33\": {}, \"t34\": {}, \"t35\": {}, \"t36\": {}, \"t37\": {}, \"t38\": {}, \"t39\": {}, \"t40\": {}, \"t41\": {}, \"t42\": {}, \"t43\": {}, \"t44\": {}, \"t45\": {}, \"t46\": {}, \"t47\": {}, \"t48\": {}, \"t49\": {}, \"t50\": {}, \"t51\": {}, \"t52\": {}, \"t53\": {}, \"t54\": {}, \"t55\": {}, \"t56\": {}, \"t57\": {}, \"t58\": {}, \"t59\": {}, \"t60\": {}, \"t61\": {}, \"t62\": {}, \"t63\": {}, \"t64\": {}, \"t65\": {}, \"t66\": {}, \"t67\": {}, \"t68\": {}, \"t69\": {}, \"a\": {\"implies\": [\"t0\", \"t1\", \"t2\", \"t3\", \"t4\", \"t5\", \"t6\", \"t7\", \"t8\", \"t9\", \"t10\", \"t11\", \"t12\", \"t13\", \"t14\", \"t15\", \"t16\", \"t17\", \"t18\", \"t19\", \"t20\", \"t21\", \"t22\", \"t23\", \"t24\", \"t25\", \"t26\", \"t27\", \"t28\", \"t29\", \"t30\", \"t31\", \"t32\", \"t33\", \"t34\", \"t35\", \"t36\", \"t37\", \"t38\", \"t39\", \"t40\", \"t41\", \"t42\", \"t43\", \"t44\", \"t45\", \"t46\", \"t47\", \"t48\", \"t49\", \"t50\", \"t51\", \"t52\", \"t53\", \"t54\", \"t55\", \"t56\", \"t57\", \"t58\", \"t59\", \"b\"]}, \"b\": {\"implies\": [\"t60\", \"t61\", \"t62\", \"t63\", \"t64\", \"t65\", \"t66\", \"t67\", \"t68\", \"t69\"]}}}", HN_ELIMIT,
		"more than 64", NULL);
}

Test(catalog_refuse, documents_disagree_on_value)
{
	refuse_catalog(
		"{\"hypernix\": 1, \"documents\": [{\"tags\": {\"t\": {\"set\": {\"memory.size\": \"1Gi\"}}}}, {\"tags\": {\"t\": {\"set\": {\"memory.size\": \"2Gi\"}}}}]}",
		HN_ECONFLICT, "tag:t gives memory.size the value '2Gi' at priority 400, and '1Gi'",
		"$priority");
}

Test(catalog_refuse, documents_disagree_on_kind)
{
	refuse_catalog(
		"{\"hypernix\": 1, \"documents\": [{\"kinds\": {\"a\": {}, \"b\": {}}, \"tags\": {\"t\": {\"kind\": \"a\"}}}, {\"tags\": {\"t\": {\"kind\": \"b\"}}}]}",
		HN_ECONFLICT, "another kind", NULL);
}

Test(catalog_refuse, documents_disagree_on_priority)
{
	refuse_catalog(
		"{\"hypernix\": 1, \"documents\": [{\"tags\": {\"t\": {\"priority\": 300}}}, {\"tags\": {\"t\": {\"priority\": 301}}}]}",
		HN_ECONFLICT, "another priority", NULL);
}

Test(catalog_refuse, documents_disagree_on_selector)
{
	refuse_catalog(
		"{\"hypernix\": 1, \"documents\": [{\"policies\": {\"p\": {\"select\": \"all\"}}}, {\"policies\": {\"p\": {\"select\": \"none\"}}}]}",
		HN_ECONFLICT, "another selector", NULL);
}

Test(catalog_refuse, documents_disagree_on_exclusive)
{
	refuse_catalog(
		"{\"hypernix\": 1, \"documents\": [{\"kinds\": {\"k\": {\"exclusive\": true}}}, {\"kinds\": {\"k\": {\"exclusive\": false}}}]}",
		HN_ECONFLICT, "exclusive", NULL);
}

Test(catalog_refuse, unit_contradicts_itself)
{
	refuse_catalog(
		"{\"hypernix\":1,\"units\":{\"u\":{\"resources\":{\"memory.size\":\"1Gi\"},\"overrides\":{\"memory.size\":\"2Gi\"}}}}",
		HN_ECONFLICT, "unit:u gives memory.size", NULL);
}

Test(catalog_refuse, defaults_contradict)
{
	refuse_catalog(
		"{\"hypernix\": 1, \"documents\": [{\"defaults\": {\"memory.size\": \"1Gi\"}}, {\"defaults\": {\"memory.size\": \"2Gi\"}}]}",
		HN_ECONFLICT, "defaults gives memory.size", NULL);
}

/* The tag's priority would not help where the value has its own. */
Test(resolve_refuse, way_out_is_the_values_own_priority)
{
	refuse_unit(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}}, \"t1\": {\"priority\": 300, \"set\": {\"memory.size\": {\"$value\": \"2Gi\", \"$priority\": 400}}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}",
		HN_ECONFLICT, "two values at priority 400",
		"ways out: give one value a smaller number ($priority = 390 at a.json:1:");
}

/* Who writes Nix sets no $priority: the module does. */
Test(resolve_refuse, way_out_for_nix_is_in_its_words)
{
	refuse_unit(
		"{\"hypernix\": 1, \"files\": [\"web.nix\"], \"origins\": {\"/tags\": [0, 3, 4]}, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}}, \"t1\": {\"priority\": 300, \"set\": {\"memory.size\": {\"$value\": \"2Gi\", \"$priority\": 400}}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}",
		HN_ECONFLICT, "two values at priority 400",
		"ways out: give one value a smaller number (lib.mkOverride 390, in JSON $priority = 390 at web.nix:3:4)");
}

Test(catalog_refuse, unit_contradicts_itself_in_nix)
{
	refuse_catalog(
		"{\"hypernix\":1,\"files\":[\"web.nix\"],\"origins\":{\"/units\":[0,3,4]},\"units\":{\"u\":{\"resources\":{\"memory.size\":\"1Gi\"},\"overrides\":{\"memory.size\":\"2Gi\"}}}}",
		HN_ECONFLICT, "unit:u gives memory.size", "lib.mkOverride, in JSON $priority");
}

Test(resolve_refuse, tags_conflict)
{
	refuse_unit(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}}, \"t1\": {\"set\": {\"memory.size\": \"2Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}",
		HN_ECONFLICT, "conflict in unit 'u': memory.size has two values at priority 400",
		"ways out");
}

Test(resolve_refuse, three_values)
{
	refuse_unit(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}}, \"t1\": {\"set\": {\"memory.size\": \"2Gi\"}}, \"t2\": {\"set\": {\"memory.size\": \"4Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\", \"t2\"]}}}",
		HN_ECONFLICT, "three values", NULL);
}

Test(resolve_refuse, null_against_value)
{
	refuse_unit(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}}, \"t1\": {\"set\": {\"memory.size\": null}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}",
		HN_ECONFLICT, "two values", NULL);
}

Test(resolve_refuse, policy_against_tag)
{
	refuse_unit(
		"{\"hypernix\": 1, \"tags\": {\"t\": {\"priority\": 600, \"set\": {\"memory.size\": \"1Gi\"}}}, \"policies\": {\"p\": {\"select\": \"all\", \"set\": {\"memory.size\": \"2Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t\"]}}}",
		HN_ECONFLICT, "policy:p",
		"give one policy a smaller number (policies.p.priority = 590)");
}

Test(resolve_refuse, exclusive_direct)
{
	refuse_unit(
		"{\"hypernix\": 1, \"kinds\": {\"env\": {\"exclusive\": true}}, \"tags\": {\"a\": {\"kind\": \"env\"}, \"b\": {\"kind\": \"env\"}, \"c\": {\"implies\": [\"b\"]}, \"d\": {\"implies\": [\"c\"]}}, \"units\": {\"u\": {\"tags\": [\"a\", \"b\"]}}}",
		HN_EEXCLUSIVE, "two tags of the exclusive kind 'env'", "keep tag:a or tag:b");
}

Test(resolve_refuse, exclusive_implied)
{
	refuse_unit(
		"{\"hypernix\": 1, \"kinds\": {\"env\": {\"exclusive\": true}}, \"tags\": {\"a\": {\"kind\": \"env\"}, \"b\": {\"kind\": \"env\"}, \"c\": {\"implies\": [\"b\"]}, \"d\": {\"implies\": [\"c\"]}}, \"units\": {\"u\": {\"tags\": [\"a\", \"c\"]}}}",
		HN_EEXCLUSIVE, "tag:b   implied by tag:c", NULL);
}

Test(resolve_refuse, exclusive_implied_twice)
{
	refuse_unit(
		"{\"hypernix\": 1, \"kinds\": {\"env\": {\"exclusive\": true}}, \"tags\": {\"a\": {\"kind\": \"env\"}, \"b\": {\"kind\": \"env\"}, \"c\": {\"implies\": [\"b\"]}, \"d\": {\"implies\": [\"c\"]}}, \"units\": {\"u\": {\"tags\": [\"a\", \"d\"]}}}",
		HN_EEXCLUSIVE, "implied by tag:d", NULL);
}

Test(resolve_refuse, exclusive_by_policy)
{
	refuse_unit(
		"{\"hypernix\": 1, \"kinds\": {\"env\": {\"exclusive\": true}}, \"tags\": {\"a\": {\"kind\": \"env\"}, \"b\": {\"kind\": \"env\"}, \"c\": {\"implies\": [\"b\"]}, \"d\": {\"implies\": [\"c\"]}}, \"units\": {\"u\": {\"tags\": [\"a\"]}}, \"policies\": {\"p\": {\"select\": \"tag:a\", \"implies\": [\"b\"]}}}",
		HN_EEXCLUSIVE, "implied by policy:p", NULL);
}

Test(resolve_refuse, exclusive_before_conflict)
{
	refuse_unit(
		"{\"hypernix\": 1, \"kinds\": {\"env\": {\"exclusive\": true}}, \"tags\": {\"a\": {\"kind\": \"env\", \"set\": {\"memory.size\": \"1Gi\"}}, \"b\": {\"kind\": \"env\", \"set\": {\"memory.size\": \"2Gi\"}}, \"c\": {\"implies\": [\"b\"]}, \"d\": {\"implies\": [\"c\"]}}, \"units\": {\"u\": {\"tags\": [\"a\", \"b\"]}}}",
		HN_EEXCLUSIVE, "exclusive", NULL);
}

Test(resolve_refuse, too_many_tags_with_implied)
{
	refuse_unit(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {}, \"t1\": {}, \"t2\": {}, \"t3\": {}, \"t4\": {}, \"t5\": {}, \"t6\": {}, \"t7\": {}, \"t8\": {}, \"t9\": {}, \"t10\": {}, \"t11\": {}, \"t12\": {}, \"t13\": {}, \"t14\": {}, \"t15\": {}, \"t16\": {}, \"t17\": {}, \"t18\": {}, \"t19\": {}, \"t20\": {}, \"t21\": {}, \"t22\": {}, \"t23\": {}, \"t24\": {}, \"t25\": {}, \"t26\": {}, \"t27\": {}, \"t28\": {}, \"t29\": {}, \"t30\": {}, \"t31\": {}, \"t32\": {}, \"t33\": {}, \"t34\": {}, \"t35\": {}, \"t36\": {}, \"t37\": {}, \"t38\": {}, \"t39\": {}, \"t40\": {}, \"t41\": {}, \"t42\": {}, \"t43\": {}, \"t44\": {}, \"t45\": {}, \"t46\": {}, \"t47\": {}, \"t48\": {}, \"t49\": {}, \"t50\": {}, \"t51\": {}, \"t52\": {}, \"t53\": {}, \"t54\": {}, \"t55\": {}, \"t56\": {}, \"t57\": {}, \"t58\": {}, \"t59\": {}, \"t60\": {}, \"t61\": {}, \"t62\": {}, \"t63\": {}, \"t64\": {}, \"t65\": {}, \"t66\": {}, \"t67\": {}, \"t68\": {}, \"t69\": {}, \"t70\": {}, \"t71\": {}, \"t72\": {}, \"t73\": {}, \"t74\": {}, \"t75\": {}, \"t76\": {}, \"t77\": {}, \"t78\": {}, \"t79\": {}, \"x\": {\"implies\": [\"t0\", \"t1\", \"t2\", \"t3\", \"t4\", \"t5\", \"t6\", \"t7\", \"t8\", \"t9\", \"t10\", \"t11\", \"t12\", \"t13\", \"t14\", \"t15\", \"t16\", \"t17\", \"t18\", \"t19\", \"t20\", \"t21\", \"t22\", \"t23\", \"t24\", \"t25\", \"t26\", \"t27\", \"t28\", \"t29\", \"t30\", \"t31\", \"t32\", \"t33\", \"t34\", \"t35\", \"t36\", \"t37\", \"t38\", \"t39\"]}, \"y\": {\"implies\": [\"t40\", \"t41\", \"t42\", \"t43\", \"t44\", \"t45\", \"t46\", \"t47\", \"t48\", \"t49\", \"t50\", \"t51\", \"t52\", \"t53\", \"t54\", \"t55\", \"t56\", \"t57\", \"t58\", \"t59\", \"t60\", \"t61\", \"t62\", \"t63\", \"t64\", \"t65\", \"t66\", \"t67\", \"t68\", \"t69\", \"t70\", \"t71\", \"t72\", \"t73\", \"t74\", \"t75\", \"t76\", \"t77\", \"t78\", \"t79\"]}}, \"units\": {\"u\": {\"tags\": [\"x\", \"y\"]}}}", HN_ELIMIT, "too many tags",
		NULL);
}

Test(resolve_refuse, too_many_names)
{
	refuse_unit(
		"{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": [], \"overrides\": {\"labels.n0\": \"x\", \"labels.n1\": \"x\", \"labels.n2\": \"x\", \"labels.n3\": \"x\", \"labels.n4\": \"x\", \"labels.n5\": \"x\", \"labels.n6\": \"x\", \"labels.n7\": \"x\", \"labels.n8\": \"x\", \"labels.n9\": \"x\", \"labels.n10\": \"x\", \"labels.n11\": \"x\", \"labels.n12\": \"x\", \"labels.n13\": \"x\", \"labels.n14\": \"x\", \"labels.n15\": \"x\", \"labels.n16\": \"x\", \"labels.n17\": \"x\", \"labels.n18\": \"x\", \"labels.n19\": \"x\", \"labels.n20\": \"x\", \"labels.n21\": \"x\", \"labels.n22\": \"x\", \"labels.n23\": \"x\", \"labels.n24\": \"x\", \"labels.n25\": \"x\", \"labels.n26\": \"x\", \"labels.n27\": \"x\", \"labels.n28\": \"x\", \"labels.n29\": \"x\", \"labels.n30\": \"x\", \"labels.n31\": \"x\", \"labels.n32\": \"x\", \"labels.n33\": \"x\", \"labels.n34\": \"x\", \"labels.n35\": \"x\", \"labels.n36\": \"x\", \"labels.n37\": \"x\", \"labels.n38\": \"x\", \"labels.n39\": \"x\", \"labels.n40\": \"x\", \"labels.n41\": \"x\", \"labels.n42\": \"x\", \"labels.n43\": \"x\", \"labels.n44\": \"x\", \"labels.n45\": \"x\", \"labels.n46\": \"x\", \"labels.n47\": \"x\", \"labels.n48\": \"x\", \"labels.n49\": \"x\", \"labels.n50\": \"x\", \"labels.n51\": \"x\", \"labels.n52\": \"x\", \"labels.n53\": \"x\", \"labels.n54\": \"x\", \"labels.n55\": \"x\", \"labels.n56\": \"x\", \"labels.n57\": \"x\", \"labels.n58\": \"x\", \"labels.n59\": \"x\", \"labels.n60\": \"x\", \"labels.n61\": \"x\", \"labels.n62\": \"x\", \"labels.n63\": \"x\", \"labels.n64\": \"x\"}}}}", HN_ELIMIT,
		"too many names", NULL);
}

Test(resolve_refuse, too_many_items)
{
	refuse_unit(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"secrets\": [\"a0\", \"a1\", \"a2\", \"a3\", \"a4\", \"a5\", \"a6\", \"a7\", \"a8\", \"a9\", \"a10\", \"a11\", \"a12\", \"a13\", \"a14\", \"a15\", \"a16\", \"a17\", \"a18\", \"a19\", \"a20\", \"a21\", \"a22\", \"a23\", \"a24\", \"a25\", \"a26\", \"a27\", \"a28\", \"a29\", \"a30\", \"a31\", \"a32\", \"a33\", \"a34\", \"a35\", \"a36\", \"a37\", \"a38\", \"a39\", \"a40\", \"a41\", \"a42\", \"a43\", \"a44\", \"a45\", \"a46\", \"a47\", \"a48\", \"a49\", \"a50\", \"a51\", \"a52\", \"a53\", \"a54\", \"a55\", \"a56\", \"a57\", \"a58\", \"a59\", \"a60\", \"a61\", \"a62\", \"a63\", \"a64\", \"a65\", \"a66\", \"a67\", \"a68\", \"a69\", \"a70\", \"a71\", \"a72\", \"a73\", \"a74\", \"a75\", \"a76\", \"a77\", \"a78\", \"a79\", \"a80\", \"a81\", \"a82\", \"a83\", \"a84\", \"a85\", \"a86\", \"a87\", \"a88\", \"a89\", \"a90\", \"a91\", \"a92\", \"a93\", \"a94\", \"a95\", \"a96\", \"a97\", \"a98\", \"a99\", \"a100\", \"a101\", \"a102\", \"a103\", \"a104\", \"a105\", \"a106\", \"a107\", \"a108\", \"a109\", \"a110\", \"a111\", \"a112\", \"a113\", \"a114\", \"a115\", \"a116\", \"a117\", \"a118\", \"a119\", \"a120\", \"a121\", \"a122\", \"a123\", \"a124\", \"a125\", \"a126\", \"a127\", \"a128\", \"a129\", \"a130\", \"a131\", \"a132\", \"a133\", \"a134\", \"a135\", \"a136\", \"a137\", \"a138\", \"a139\", \"a140\", \"a141\", \"a142\", \"a143\", \"a144\", \"a145\", \"a146\", \"a147\", \"a148\", \"a149\", \"a150\", \"a151\", \"a152\", \"a153\", \"a154\", \"a155\", \"a156\", \"a157\", \"a158\", \"a159\", \"a160\", \"a161\", \"a162\", \"a163\", \"a164\", \"a165\", \"a166\", \"a167\", \"a168\", \"a169\", \"a170\", \"a171\", \"a172\", \"a173\", \"a174\", \"a175\", \"a176\", \"a177\", \"a178\", \"a179\", \"a180\", \"a181\", \"a182\", \"a183\", \"a184\", \"a185\", \"a186\", \"a187\", \"a188\", \"a189\", \"a190\", \"a191\", \"a192\", \"a193\", \"a194\", \"a195\", \"a196\", \"a197\", \"a198\", \"a199\"]}}, \"t1\": {\"set\": {\"secrets\": [\"b0\", \"b1\", \"b2\", \"b3\", \"b4\", \"b5\", \"b6\", \"b7\", \"b8\", \"b9\", \"b10\", \"b11\", \"b12\", \"b13\", \"b14\", \"b15\", \"b16\", \"b17\", \"b18\", \"b19\", \"b20\", \"b21\", \"b22\", \"b23\", \"b24\", \"b25\", \"b26\", \"b27\", \"b28\", \"b29\", \"b30\", \"b31\", \"b32\", \"b33\", \"b34\", \"b35\", \"b36\", \"b37\", \"b38\", \"b39\", \"b40\", \"b41\", \"b42\", \"b43\", \"b44\", \"b45\", \"b46\", \"b47\", \"b48\", \"b49\", \"b50\", \"b51\", \"b52\", \"b53\", \"b54\", \"b55\", \"b56\", \"b57\", \"b58\", \"b59\", \"b60\", \"b61\", \"b62\", \"b63\", \"b64\", \"b65\", \"b66\", \"b67\", \"b68\", \"b69\", \"b70\", \"b71\", \"b72\", \"b73\", \"b74\", \"b75\", \"b76\", \"b77\", \"b78\", \"b79\", \"b80\", \"b81\", \"b82\", \"b83\", \"b84\", \"b85\", \"b86\", \"b87\", \"b88\", \"b89\", \"b90\", \"b91\", \"b92\", \"b93\", \"b94\", \"b95\", \"b96\", \"b97\", \"b98\", \"b99\"]}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}",
		HN_ELIMIT, "secrets", NULL);
}

Test(catalog, documents_unite)
{
	gives("{\"hypernix\": 1, \"documents\": [{\"tags\": {\"t\": {\"set\": {\"memory.size\": \"1Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t\"]}}}, {\"tags\": {\"s\": {\"set\": {\"compute.units\": 200}}}, \"units\": {\"u\": {\"tags\": [\"s\"]}}}]}",
		"compute.units", "200");
}

Test(catalog, documents_agree)
{
	gives("{\"hypernix\": 1, \"documents\": [{\"tags\": {\"t\": {\"set\": {\"memory.size\": \"1Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t\"]}}}, {\"tags\": {\"t\": {\"set\": {\"memory.size\": \"1Gi\"}}}}]}",
		"memory.size", "1Gi");
}

Test(catalog, beaten_values_need_not_agree)
{
	gives("{\"hypernix\": 1, \"documents\": [{\"units\": {\"u\": {\"resources\": {\"memory.size\": {\"$value\": \"1Gi\", \"$priority\": 1000}}}}}, {\"units\": {\"u\": {\"resources\": {\"memory.size\": {\"$value\": \"2Gi\", \"$priority\": 1000}}}}}, {\"units\": {\"u\": {\"resources\": {\"memory.size\": \"3Gi\"}}}}]}",
		"memory.size", "3Gi");
}

Test(catalog_refuse, strongest_of_a_unit_disagree)
{
	refuse_catalog(
		"{\"hypernix\": 1, \"documents\": [{\"units\": {\"u\": {\"resources\": {\"memory.size\": {\"$value\": \"1Gi\", \"$priority\": 1000}}}}}, {\"units\": {\"u\": {\"resources\": {\"memory.size\": {\"$value\": \"2Gi\", \"$priority\": 70}}}}}, {\"units\": {\"u\": {\"resources\": {\"memory.size\": {\"$value\": \"3Gi\", \"$priority\": 70}}}}}]}",
		HN_ECONFLICT, "at priority 70", NULL);
}

Test(catalog, namespaced_tag)
{
	gives("{\"hypernix\": 1, \"tags\": {\"blue/canary\": {\"set\": {\"memory.size\": \"2Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"blue/canary\"]}}}",
		"memory.size", "2Gi");
}

Test(catalog, policy_named_beats_false_selector)
{
	gives("{\"hypernix\": 1, \"policies\": {\"p\": {\"select\": \"none\", \"set\": {\"memory.size\": \"2Gi\"}}}, \"units\": {\"u\": {\"policies\": [\"p\"]}}}",
		"memory.size", "2Gi");
}

Test(catalog, policy_selected)
{
	gives("{\"hypernix\": 1, \"policies\": {\"p\": {\"select\": \"name:u\", \"set\": {\"memory.size\": \"2Gi\"}}}, \"units\": {\"u\": {}}}",
		"memory.size", "2Gi");
}

Test(catalog, selector_sees_implied_tags)
{
	gives("{\"hypernix\": 1, \"tags\": {\"a\": {\"implies\": [\"b\"]}, \"b\": {}}, \"policies\": {\"p\": {\"select\": \"tag:b\", \"set\": {\"memory.size\": \"2Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"a\"]}}}",
		"memory.size", "2Gi");
}

Test(catalog, selector_sees_no_tag_of_a_policy)
{
	gives("{\"hypernix\": 1, \"tags\": {\"b\": {}}, \"policies\": {\"p\": {\"select\": \"all\", \"implies\": [\"b\"]}, \"q\": {\"select\": \"tag:b\", \"set\": {\"memory.size\": \"2Gi\"}}}, \"units\": {\"u\": {}}}",
		"memory.size", "512Mi");
}

Test(catalog, policy_implies_settings)
{
	gives("{\"hypernix\": 1, \"tags\": {\"b\": {\"set\": {\"memory.size\": \"2Gi\"}}}, \"policies\": {\"p\": {\"select\": \"all\", \"implies\": [\"b\"]}}, \"units\": {\"u\": {}}}",
		"memory.size", "2Gi");
}

Test(catalog, selector_by_kind)
{
	gives("{\"hypernix\": 1, \"kinds\": {\"env\": {}}, \"tags\": {\"a\": {\"kind\": \"env\"}}, \"policies\": {\"p\": {\"select\": \"kind:env\", \"set\": {\"memory.size\": \"2Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"a\"]}}}",
		"memory.size", "2Gi");
}

Test(catalog, chain_of_16)
{
	gives("{\"hypernix\": 1, \"tags\": {\"t0\": {\"implies\": [\"t1\"]}, \"t1\": {\"implies\": [\"t2\"]}, \"t2\": {\"implies\": [\"t3\"]}, \"t3\": {\"implies\": [\"t4\"]}, \"t4\": {\"implies\": [\"t5\"]}, \"t5\": {\"implies\": [\"t6\"]}, \"t6\": {\"implies\": [\"t7\"]}, \"t7\": {\"implies\": [\"t8\"]}, \"t8\": {\"implies\": [\"t9\"]}, \"t9\": {\"implies\": [\"t10\"]}, \"t10\": {\"implies\": [\"t11\"]}, \"t11\": {\"implies\": [\"t12\"]}, \"t12\": {\"implies\": [\"t13\"]}, \"t13\": {\"implies\": [\"t14\"]}, \"t14\": {\"implies\": [\"t15\"]}, \"t15\": {\"implies\": [\"t16\"]}, \"t16\": {\"set\": {\"memory.size\": \"2Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\"]}}}",
		"memory.size", "2Gi");
}

/* Messages and hints of remarks, a line each. */
static void collect_remark(void *arg, const hn_error *remark)
{
	char *all = arg;
	size_t size = strlen(all);

	snprintf(all + size, 2048 - size, "%s | %s\n", hn_error_message(remark),
		hn_error_hint(remark));
}

static void remarks_are(const char *policies, const char *wanted)
{
	char text[1024], all[2048] = "";
	const char *document = text;
	hn_catalog *catalog = NULL;
	int count = 0;

	snprintf(text, sizeof(text),
		"{\"hypernix\":1,\"kinds\":{\"env\":{}},\"tags\":{\"production\":{\"kind\":\"env\"}},\n"
		"\"policies\":{%s},\"units\":{\"web-1\":{}}}",
		policies);
	cr_assert_eq(catalogued(&document, 1, &catalog, NULL), 0);
	for (const char *line = wanted; (line = strchr(line, '\n')) != NULL; line++)
		count++;
	cr_expect_eq(hn_catalog_remarks(catalog, collect_remark, all, NULL), count);
	cr_expect_str_eq(all, wanted);
	hn_catalog_unref(catalog);
}

Test(remarks, none_when_everything_is_there)
{
	remarks_are(
		"\"p\":{\"select\":\"tag:production and kind:env and not name:web-1\"},\"q\":{}",
		"");
}

Test(remarks, none_for_stars)
{
	remarks_are("\"p\":{\"select\":\"tag:x* or kind:*y or name:z-*\"}", "");
}

Test(remarks, tag_kind_and_unit_with_the_nearest_name)
{
	remarks_are("\"p\":{\"select\":\"tag:prodction or kind:enw or name:web-2\"}",
		"a.json:2:27: the selector of policy 'p' asks for the tag 'prodction', which nothing "
		"declares | did you mean production?\n"
		"a.json:2:27: the selector of policy 'p' asks for the kind 'enw', which nothing "
		"declares | did you mean env?\n"
		"a.json:2:27: the selector of policy 'p' asks for the unit 'web-2', which nothing "
		"declares | did you mean web-1?\n");
}

Test(remarks, nothing_near)
{
	remarks_are("\"p\":{\"select\":\"tag:xyz\"}",
		"a.json:2:27: the selector of policy 'p' asks for the tag 'xyz', which nothing "
		"declares | declare the tag, or take the test away\n");
}

Test(remarks, need_a_catalogue)
{
	cr_expect_eq(hn_catalog_remarks(NULL, collect_remark, NULL, NULL), HN_EINVAL);
}
