// The description of errors.

extension Problem: DescribedObject {
    package static let apiDescription = ObjectDescription(
        "Why a request failed (RFC 9457).",
        fields: [
            "type": "Always about:blank.",
            "title": "The kind of error.",
            "status": .boundedInteger(description: "The HTTP status.", range: 400...599),
            "code":
                "A stable code for programs. New codes may be added: treat unknown codes by status.",
            "detail": "What is wrong and how to correct it.",
        ])
}
