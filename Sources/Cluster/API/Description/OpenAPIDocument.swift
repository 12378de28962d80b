// The description of an API as OpenAPI 3.1, made from its routes and the types of their messages.

import Model

package struct OpenAPIDocument: Sendable {
    package let json: JSONValue
    /// The objects of the document by name.
    private let objects: [String: ObjectSchema]

    package init(_ table: RouteTable) throws(SchemaError) {
        let library = SchemaLibrary()
        var statuses: Set<Int> = []
        var paths: [String: JSONValue] = [:]
        for route in table.routes {
            var methods: [String: JSONValue] = [:]
            if case .object(let known)? = paths[route.path] { methods = known }
            let errors = table.errorCodes(of: route)
            statuses.formUnion(errors.map(\.status))
            methods[route.method.rawValue.lowercased()] = try Self.makeOperation(
                for: route, on: table.server, errors: errors, library: library)
            paths[route.path] = .object(methods)
        }
        _ = try library.resolveSchema(of: Problem.self)
        objects = library.objects
        json = Self.makeDocument(for: table, paths: paths, statuses: statuses, objects: objects)
    }

    /// The path of the first property that a request has and its schema has not. Nil for requests of other types, and
    /// for those that may have more properties than are known.
    package func unknownProperty(in body: JSONValue, of type: any Decodable.Type) -> String? {
        guard let described = type as? any DescribedObject.Type else { return nil }
        return findUnknownProperty(in: body, against: .component(described.schemaName), path: "")
    }

    private func findUnknownProperty(
        in value: JSONValue, against schema: Schema, path: String
    ) -> String? {
        switch (value, schema) {
        case (.object(let fields), .component(let name)):
            guard let object = objects[name] else { return nil }
            for (name, field) in fields.sorted(by: { $0.key < $1.key }) {
                let place = path.isEmpty ? name : "\(path).\(name)"
                guard let schema = propertySchema(named: name, in: object, siblings: fields) else {
                    if object.description.isStrict { return place } else { continue }
                }
                let found = findUnknownProperty(in: field, against: schema, path: place)
                if let found { return found }
            }
            return nil
        case (.array(let items), .list(let element)):
            for item in items {
                if let found = findUnknownProperty(in: item, against: element, path: path) {
                    return found
                }
            }
            return nil
        default: return nil
        }
    }

    /// The schema of a property; nil when the object does not have it. A body of the version before has the properties
    /// of `spec` and `policy` in itself (`VMSpec+Flat`).
    private func propertySchema(
        named name: String, in object: ObjectSchema, siblings fields: [String: JSONValue]
    ) -> Schema? {
        if let property = object.findProperty(named: name) { return property.schema }
        guard fields["spec"] == nil, object.findProperty(named: "spec") != nil else { return nil }
        for nested in ["spec", "policy"] {
            guard case .component(let component)? = object.findProperty(named: nested)?.schema
            else {
                continue
            }
            if let found = objects[component]?.findProperty(named: name) { return found.schema }
        }
        return VMSpec.flatNames.contains(name) ? .string : nil
    }
}

extension OpenAPIDocument {
    private static func makeDocument(
        for table: RouteTable, paths: [String: JSONValue], statuses: Set<Int>,
        objects: [String: ObjectSchema]
    ) -> JSONValue {
        [
            "openapi": "3.1.0",
            "info": [
                "title": .string(table.title), "version": "1", "description": .string(table.text),
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": "/"]],
            "security": securityRequirements(of: table.server),
            "tags": .array(table.tags.map { ["name": .string($0)] }),
            "paths": .object(paths),
            "components": [
                "securitySchemes": securitySchemes(of: table.server),
                "responses": .object(
                    Dictionary(
                        statuses.map { (responseName(status: $0), problemResponse(status: $0)) },
                        uniquingKeysWith: { first, _ in first })),
                "schemas": .object(objects.mapValues(\.json)),
            ],
        ]
    }

    private static func securityRequirements(of server: RouteTable.Server) -> JSONValue {
        switch server {
        case .agent: [["certificate": []]]
        case .controller: [["token": []], ["certificate": []]]
        }
    }

    private static func securitySchemes(of server: RouteTable.Server) -> JSONValue {
        switch server {
        case .agent:
            [
                "certificate": [
                    "type": "mutualTLS",
                    "description":
                        "A client certificate that the cluster's authority issued to an operator or a controller.",
                ]
            ]
        case .controller:
            [
                "certificate": [
                    "type": "mutualTLS",
                    "description":
                        "A client certificate that the cluster's authority issued. Operators may use every route except those of agents, controllers may read, an agent may only use its own routes.",
                ],
                "token": [
                    "type": "http", "scheme": "bearer",
                    "description": "ferry.NAME.SECRET, created by POST /v1/tokens.",
                ],
            ]
        }
    }

    private static func makeOperation(
        for route: RouteDescription, on server: RouteTable.Server, errors: [Problem.Code],
        library: SchemaLibrary
    ) throws(SchemaError) -> JSONValue {
        var responses: [String: JSONValue] = [:]
        for answer in route.answers {
            responses["\(answer.status)"] = try makeResponse(for: answer, using: library)
        }
        for status in Set(errors.map(\.status)) {
            responses["\(status)"] = [
                "$ref": .string("#/components/responses/\(responseName(status: status))")
            ]
        }
        return .compactObject([
            "operationId": .string(route.id), "summary": .string(route.summary),
            "tags": [.string(route.tag)], "x-ferry-needs": .string(route.access.rawValue),
            "x-ferry-codes": .array(errors.map { .string($0.rawValue) }),
            "parameters": route.parameters.isEmpty
                ? nil : .array(route.parameters.map(\.json)),
            "requestBody": try makeRequestBody(for: route.body, using: library),
            "responses": .object(responses), "security": securityOverride(for: route, on: server),
        ])
    }

    /// Nil for that of the whole document.
    private static func securityOverride(
        for route: RouteDescription, on server: RouteTable.Server
    ) -> JSONValue? {
        switch route.access {
        case .unauthenticated: []
        case .thatAgent: [["certificate": []]]
        case .viewer, .operator, .admin, .certificate: nil
        }
    }

    private static func makeRequestBody(
        for body: RouteBody, using library: SchemaLibrary
    ) throws(SchemaError) -> JSONValue? {
        switch body {
        case .absent: return nil
        case .json(let type, let isOptional, _):
            return [
                "required": .bool(!isOptional),
                "content": [
                    "application/json": ["schema": try library.resolveSchema(of: type).jsonSchema()]
                ],
            ]
        case .bytes(let description):
            return [
                "required": true, "description": .string(description),
                "content": ["application/octet-stream": ["schema": ["type": "string"]]],
            ]
        }
    }

    private static func makeResponse(
        for answer: RouteAnswer, using library: SchemaLibrary
    ) throws(SchemaError) -> JSONValue {
        let content: JSONValue? =
            switch answer.content {
            case .absent: nil
            case .json(let type):
                ["application/json": ["schema": try library.resolveSchema(of: type).jsonSchema()]]
            case .anyJSON: ["application/json": ["schema": ["type": "object"]]]
            case .raw(let mediaType):
                .object([mediaType: ["schema": ["type": "string"]]])
            }
        return .compactObject([
            "description": .string(answer.description), "content": content,
            "headers": answer.headers.isEmpty
                ? nil : .object(answer.headers.mapValues { makeHeader(description: $0) }),
        ])
    }

    private static func makeHeader(description: String) -> JSONValue {
        ["schema": ["type": "string"], "description": .string(description)]
    }

    private static func responseName(status: Int) -> String { "problem\(status)" }

    private static func problemResponse(status: Int) -> JSONValue {
        let headers: JSONValue? =
            switch status {
            case 401: ["WWW-Authenticate": makeHeader(description: "Bearer.")]
            case 503:
                [
                    "Location": makeHeader(
                        description: "The same request at the leader, if the leader is known.")
                ]
            default: nil
            }
        return .compactObject([
            "description": .string(statusDescription(for: status)),
            "content": .object([
                Problem.mediaType: ["schema": ["$ref": "#/components/schemas/Problem"]]
            ]),
            "headers": headers,
        ])
    }

    private static func statusDescription(for status: Int) -> String {
        switch status {
        case 400: "The request cannot be read."
        case 401: "The certificate or token is missing or not known."
        case 403: "The caller may not use this route."
        case 404: "The object does not exist."
        case 409: "The request conflicts with the current state; `code` says why."
        case 412: "The object has changed since."
        case 413: "The request body is too large."
        case 422: "The request asks for something that is not possible."
        case 429: "Too many requests or objects at once."
        case 500: "The server failed."
        case 503: "The server cannot answer now; `code` says why."
        case 507: "The host does not have enough memory."
        default: "The request failed; `code` says why."
        }
    }
}
