/** JSON Schemas of the policy language. */
export { jsonSchema, jsonSchemaOf, schemaFiles } from "./json-schema.ts";
