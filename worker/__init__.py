"""What ships in the image: a vLLM worker for career questions behind the RunPod SDK's loop."""
