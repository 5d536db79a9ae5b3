/* SPDX-License-Identifier: MIT */
/* The yardstick: what libyaml alone needs to load one file, and nothing else. */
#include <stdio.h>
#include <yaml.h>

int
main(int argc, char **argv)
{
	yaml_parser_t parser;
	yaml_document_t document;
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;

	if (!file || !yaml_parser_initialize(&parser))
		return 2;
	yaml_parser_set_input_file(&parser, file);
	if (!yaml_parser_load(&parser, &document))
		return 1;
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	fclose(file);
	return 0;
}
