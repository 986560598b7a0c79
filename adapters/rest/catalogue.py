"""The workflows that every environment has, with their ApplicationElementIds (vendor pages "API key templates")."""

from __future__ import annotations

from types import MappingProxyType

CATALOGUE = MappingProxyType(
    {
        "REST_ReportJob": "1ba90cc1-b7f2-452d-8825-101ad7e7a682",
        "REST_AttachImageToJob": "d1fb01d5-77c2-48df-b95a-2ada578578df",
        "REST_CreateReservation": "0167a94a-5dae-4efe-bf13-029a47728b97",
        "REST_UpdateReservation": "3736d834-fa5e-4edc-9abd-f38962ff8afd",
        "REST_CancelReservation": "5d5a10ee-7b14-4dd4-8683-33822ea56f12",
        "REST_GetReservationsForSpace": "860ea091-4d76-47d9-a733-c3bb18440dde",
        "REST_EquipmentMeasurementPointValue_Import": "e57ecb14-6c6f-46ff-fbf7-e65c22a3df61",
        "REST_ProcessFunctionMeasurementPointValue_Import": "7dc5815c-1cce-470f-9656-02113d13e635",
        "REST_CreateEquipmentMeasurementPoint": "a90b326b-ff33-421a-a3a8-7d674e37ae22",
        "REST_CreateProcessFunctionMeasurementPoint": "59275fff-2bcb-425c-a933-90513542c212",
        "REST_Equipment_UpdateTrackAndTraceLocation": "32909ddd-068d-4a76-9f31-ba69bf7cf3ec",
        "REST_Article_Import": None,
        "REST_ArticleVendor_Import": "09655272-a56b-457b-ae3d-3fbaf1ebd9c5",
    }
)
"""Workflow → element id, None where the vendor documents none."""
